"""The interface in two languages, Arabic and English."""

import flask_babel
from flask import Flask

from web.i18n.locale import (
    ENGLISH,
    NAMES,
    add_language_headers,
    blueprint,
    day,
    here,
    language,
    language_name,
    number,
    percent,
    preferred_language,
)
from web.i18n.messages import explain, notice, reason


def register(app: Flask) -> None:
    """Make the application answer in the reader's language, which the reader can choose."""
    flask_babel.Babel(
        app,
        default_locale=ENGLISH,
        locale_selector=preferred_language,
        default_translation_directories="i18n/translations",
    )
    app.register_blueprint(blueprint)
    app.after_request(add_language_headers)
    app.jinja_env.globals["languages"] = NAMES
    for function in (language, number, percent, day, language_name, explain, notice, reason, here):
        app.add_template_global(function)
