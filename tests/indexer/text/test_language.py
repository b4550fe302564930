"""Languages of real sentences, and what holds for every text."""

import json
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.request import SearchRequest
from indexer.text.language import (
    MIXED,
    detect,
    direction,
    html_lang,
    paragraph_language,
    script_of,
    title_language,
)
from tests.support.paths import DATA, ROOT, SEEDS

FRENCH = (
    "Les représentants des deux pays se sont rencontrés lundi à Genève pour parler du corridor céréalier."
)
PERSIAN = "رئیس جمهور ایران گفت که مذاکرات با کشورهای اروپایی در روزهای آینده در ژنو ادامه خواهد یافت و پیشرفت خوبی داشته است"
URDU = (
    "وزیر اعظم نے کہا ہے کہ حکومت عوام کو بجلی کی قیمتوں میں بڑا ریلیف دینے کے لیے تمام وسائل استعمال کرے گی"
)

ARABIC_SCRIPT = {
    "ar": [
        "القاهرة تستضيف مؤتمرا دوليا عن المياه",
        "ارتفاع اسعار النفط",
        "مباريات اليوم",
        "كيف حالك",
        "شو رح تعمل بكرا",
        "أعلنت وزارة الثقافة أن معرض الكتاب سيفتح أبوابه للزوار يوم الخميس المقبل بمشاركة أكثر من مئتي ناشر.",
        "وقالت الشركة إن الرحلات بين بيروت وأثينا ستتوقف أسبوعين بسبب أعمال الصيانة في المدرج الغربي للمطار.",
    ],
    "fa": [
        "دیدار وزیران خارجه ایران و عمان در مسقط",
        "افزایش دوباره قیمت نان در تهران",
        "بارش برف جاده‌های شمال کشور را بست",
        "نمایشگاه کتاب تهران آغاز به کار کرد",
        "گفت‌وگوهای صلح از سر گرفته شد",
        "رئیس جمهور وارد مسکو شد",
        "زلزله در استان کرمان",
        "کتابخانه ملی اعلام کرد که بیش از ده هزار نسخه خطی تا پایان سال آینده در دسترس پژوهشگران قرار می‌گیرد.",
        PERSIAN,
    ],
    "ur": [
        "وزیر خارجہ آج قطر روانہ ہوں گے",
        "کراچی میں بارش کے بعد سڑکیں زیر آب",
        "پاکستان نے سیریز جیت لی",
        "لاہور میں کتاب میلے کا آغاز",
        "بجلی کی قیمت میں پھر اضافہ",
        "قومی اسمبلی کا اجلاس کل طلب",
        "محکمہ موسمیات نے خبردار کیا ہے کہ اگلے دو دنوں میں پہاڑوں پر برف باری کا امکان ہے۔",
        URDU,
    ],
    "ckb": [
        "سەرۆکی هەرێم پێشوازی لە شاندێکی ئەوروپی کرد",
        "نرخی نەوت لە بازاڕەکانی جیهان دابەزی",
        "کتێبخانەیەکی نوێ لە سلێمانی کرایەوە",
        "باران و بەفر لە ناوچە شاخاوییەکان",
        "حکومەتی هەرێمی کوردستان",
        "وەزارەتی پەروەردە ڕایگەیاند کە ساڵی نوێی خوێندن لە سەرەتای مانگی داهاتوو دەست پێدەکات.",
    ],
    "ps": [
        "په کابل کې د کتابونو نندارتون پیل شو",
        "د خوراکي توکو بیې بیا لوړې شوې",
        "ولسمشر د سولې پر خبرو ټینګار وکړ",
        "د پوهنې وزارت وايي چې په راتلونکي کال کې به په ټولو ولایتونو کې نوي ښوونځي جوړ شي.",
    ],
    "sd": [
        "سنڌ ۾ برساتن سبب ڪيترائي ڳوٺ ٻڏي ويا",
        "ڪراچي ۾ ڪتابن جو ميلو شروع ٿيو",
        "تعليم کاتي جو چوڻ آهي ته ايندڙ سال صوبي جي سڀني ضلعن ۾ نوان اسڪول کوليا ويندا.",
    ],
    "ug": [
        "ئۈرۈمچىدە كىتاب كۆرگەزمىسى ئېچىلدى",
        "بۇ يىل پاختا ھوسۇلى ياخشى بولدى",
        "تاغلىق رايونلاردا قار ياغدى",
        "پويىز ۋاقتىدا يېتىپ كەلدى",
        "مائارىپ ئىدارىسى كېلەر يىلى يېزىلاردا يېڭى مەكتەپلەر سېلىنىدىغانلىقىنى بىلدۈردى.",
    ],
}
BILINGUAL = [
    "Ministers met in Geneva on Monday. التقى الوزراء في جنيف يوم الاثنين.",
    "التقى الوزراء في جنيف يوم الاثنين. Ministers met in Geneva on Monday.",
    "ورّاق أرشيف قابل للبحث للمقالات العربية والإنجليزية. Warraq is a searchable archive of Arabic and English articles.",
    "تضم المكتبة عشرة آلاف مخطوط وتفتح أبوابها للقراء كل صباح ما عدا يوم الجمعة، وفيها قاعتان للمطالعة."
    " The library opens every morning except on Fridays.",
    "دیدار وزیران خارجه ایران و عمان در مسقط برگزار شد.\nThe foreign ministers of Iran and Oman met in Muscat.",
    "machine learning التعلم الآلي, deep learning التعلم العميق, neural network شبكة عصبية, training data بيانات التدريب, language model نموذج لغوي",
]
NOT_BILINGUAL = {
    "أعلنت شركات Google وMicrosoft وAmazon وMeta خططها لتوسيع مراكز البيانات في الخليج": "ar",
    "سافر Emmanuel Macron وFriedrich Merz وDonald Tusk بالقطار إلى كييف مطالبين موسكو بهدنة مدتها شهر": "ar",
    "قال المتحدث باسم BBC إن منظمات UNESCO وUNICEF وWHO وFAO تدعم القرار الذي صدر أمس": "ar",
    "ومنذ ذلك الحين صار اسم Coalition of the Willing ملازما لكل حديث عن اليوم التالي للحرب": "ar",
    "صدرت رواية One Hundred Years of Solitude بالعربية أول مرة في بيروت ثم أعيد طبعها في القاهرة ودمشق وبغداد مرات كثيرة حتى اليوم": "ar",
    "The slogan “الشعب يريد إسقاط النظام” filled the square.": "en",
    "“على هذه الأرض ما يستحق الحياة” is a line by Mahmoud Darwish that every reader knows.": "en",
    "Naguib Mahfouz (نجيب محفوظ) and Taha Hussein (طه حسين) are read in schools.": "en",
    "He called his memoir الأيام (The Days), and it is still read in every school of Egypt.": "en",
    "جاءت مدن Paris, Rome, Vienna, Athens, Lisbon, Dublin في المراكز الأولى من الترتيب السنوي للمدن الأوروبية": "ar",
    "كلمة واحدة word": "ar",
}
PLAIN = [text for texts in ARABIC_SCRIPT.values() for text in texts]
EVERY = [
    *PLAIN,
    *BILINGUAL,
    *NOT_BILINGUAL,
    FRENCH,
    "Die Vertreter beider Länder trafen sich am Montag in Genf, um über den Getreidekorridor zu reden.",
    "Представители двух стран встретились в понедельник в Женеве, чтобы обсудить зерновой коридор.",
    "Zelensky",
    "2025",
]
ON_ARABIC_KEYBOARD = str.maketrans("کی", "كي")
ON_PERSIAN_KEYBOARD = str.maketrans("كيى", "کیی")
# One of the forms of each Arabic letter that Unicode keeps for old encodings.
FORMS = {
    unicodedata.normalize("NFKC", chr(form)): chr(form)
    for block in (range(0xFB50, 0xFBB2), range(0xFBD3, 0xFC00), range(0xFE80, 0xFEF5))
    for form in block
}


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("", None),
        ("12:30 – ٤٠ ؟!", None),
        ("السلام", "Arab"),
        ("ـــ", "Arab"),
        ("ﺍﻟﺤﻜﻮﻣﺔ", "Arab"),  # presentation forms, as PDF files have them
        ("Geneva", "Latn"),
        ("Ｇｅｎｅｖａ", "Latn"),
        ("Женева", "other"),
        ("قال المتحدث باسم BBC", "Arab"),
        ("The daily الأهرام reports", "Latn"),
    ],
)
def test_most_letters_decide_the_script(text, script):
    assert script_of(text) == script


def test_a_tie_of_scripts_does_not_depend_on_the_order_of_the_text():
    assert script_of("ab بت") == script_of("بت ab")


@pytest.mark.parametrize("text", ["", " \n", "123", "٤٠٪", "— … ؟"])
def test_text_without_letters_has_no_language(text):
    assert detect(text) == "und"


@pytest.mark.parametrize("text", ["Zelensky", "Bonjour", "Macron, Merz", "Who helped free Marc Fogel?", "a"])
def test_short_latin_text_is_english(text):
    assert detect(text) == "en"


@pytest.mark.parametrize("text", ["نعم", "ماذا قال لافروف؟", "قال المتحدث باسم شركة Microsoft", "ﺍﻟﺤﻜﻮﻣﺔ"])
def test_arabic_is_known_however_short(text):
    assert detect(text) == "ar"


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Envoys met in Geneva on Monday to discuss the grain corridor across the Black Sea.", "en"),
        (FRENCH, "fr"),
        ("Die Vertreter beider Länder trafen sich am Montag in Genf, um über den Getreidekorridor zu reden.", "de"),
        (PERSIAN, "fa"),
        (URDU, "ur"),
        ("وقال الرئيس پوتين إن المحادثات مستمرة، وأضاف أن روسيا لن تتراجع عن موقفها مهما كانت الضغوط", "ar"),
        ("Представители двух стран встретились в понедельник в Женеве, чтобы обсудить зерновой коридор.", "ru"),
        ("נציגי שתי המדינות נפגשו ביום שני בז'נבה כדי לדון במסדרון התבואה בים השחור", "he"),
    ],
)  # fmt: skip
def test_long_text_is_judged_by_its_words(text, lang):
    assert detect(text) == lang


@pytest.mark.parametrize("text", ["Bonjour tout le monde. " * 10, "Macron Merz Tusk Meloni. " * 10])
def test_a_short_text_said_ten_times_is_still_short(text):
    assert detect(text) == "en"


@pytest.mark.parametrize("text", ["Женева " * 3 + "Geneva", "ჟენევა", "Γενεύη και Αθήνα"])
def test_detected_language_uses_the_script_of_the_text(text):
    assert detect(text) in ("und", "ru", "uk", "bg", "mk", "el")


def test_detection_does_not_depend_on_earlier_texts():
    doubtful = "Macron Scholz Meloni Tusk Sanchez Frederiksen Schoof Rutte Costa Kallas Stubb Orban Fico"
    first = detect(doubtful)
    for other in (FRENCH, PERSIAN, URDU):
        detect(other)
        assert detect(doubtful) == first


def test_concurrent_first_detections_agree():
    program = (
        "import sys, threading\n"
        "from indexer.text.language import detect\n"
        "together, answers = threading.Barrier(4), []\n"
        "def ask():\n"
        "    together.wait()\n"
        "    answers.append(detect(sys.argv[1]))\n"
        "threads = [threading.Thread(target=ask) for _ in range(4)]\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]\n"
        "print(*answers)"
    )
    done = subprocess.run([sys.executable, "-c", program, FRENCH], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["fr"] * 4


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=200))
def test_detected_languages_are_valid_filters(text):
    lang = detect(text)
    assert SearchRequest("question", lang=lang).lang == lang
    assert direction(lang) in ("rtl", "ltr")


@pytest.mark.parametrize(
    ("lang", "way"),
    [("ar", "rtl"), ("fa", "rtl"), ("ur", "rtl"), ("he", "rtl"), ("en", "ltr"), ("und", "ltr")],
)
def test_direction_is_that_of_the_language(lang, way):
    assert direction(lang) == way


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("", "rtl"),
        ("2025", "rtl"),
        ("ab بت", "rtl"),
        ("بت ab", "rtl"),
        ("abc بت", "ltr"),
        ("ab بــــت d", "ltr"),  # tatweel is no letter
        ("бвг بت ab", "ltr"),
        ("English first, ثم جملة عربية أطول منها", "rtl"),
    ],
)
def test_direction_of_mixed_text_is_that_of_most_letters(text, way):
    assert direction(MIXED, text) == way


@pytest.mark.parametrize(
    "address",
    ["https://www.example.org/a/long/address?of=letters", "www.example.org/press-releases", "(@WorldHealthOrganization)",
     "#ClimateEmergencyDeclaration", "press.office@ministry.example.org", "Example.com/reports", "«https://example.org/releases»،"],
)  # fmt: skip
def test_addresses_handles_and_hashtags_do_not_turn_a_mixed_text(address):
    arabic, english = "التفاصيل على الموقع", "details at"
    for text in (f"{arabic} {address}", f"{address} {arabic}", f"{address}\n{address}\n{arabic}"):
        assert direction(MIXED, text) == "rtl"
    assert direction(MIXED, f"{english} {address} #تفاصيل_كثيرة_جدا_هنا") == "ltr"
    assert direction(MIXED, address) == "ltr"  # where there is nothing else, they count
    assert direction(MIXED, "#تفاصيل") == "rtl"


def test_a_long_text_without_spaces_has_a_direction_at_once():
    assert direction(MIXED, "ا" * 200_000 + "a") == "rtl"
    assert direction(MIXED, "a." * 100_000) == "ltr"


@pytest.mark.parametrize("text", ["", "Geneva", "جنيف"])
def test_direction_of_one_language_is_the_same_whatever_the_text(text):
    assert (direction("ar", text), direction("en", text)) == ("rtl", "ltr")


@pytest.mark.parametrize(
    ("lang", "tag"), [("ar", "ar"), ("en", "en"), ("ckb", "ckb"), ("und", "und"), ("mixed", "mul")]
)
def test_html_lang_is_a_language_tag(lang, tag):
    assert html_lang(lang) == tag


@pytest.mark.parametrize(
    ("lang", "text"), [(lang, each) for lang in ARABIC_SCRIPT for each in ARABIC_SCRIPT[lang]]
)
def test_languages_in_arabic_script_are_distinguished_by_letters(lang, text):
    assert (detect(text), paragraph_language(text)) == (lang, lang)


@pytest.mark.parametrize(
    "text",
    [
        "شركة گوگل تفتح مكتبا جديدا في الرياض",
        "زار الرئيس پوتين مدينة ڤلاديڤوستوك",
        "چاد والكاميرون توقعان اتفاقا للحدود",
        "پاريس سان جيرمان يتأهل إلى النهائي",
        "مهرجان للموسيقى الكردية في قرية چمچمال",
        "بوتين يزور پيونغ يانغ",
        "پوتين وترامب",
        "پوتين",
        "شلونك اليوم وشگد صار عمرك",
    ],
)
def test_arabic_with_borrowed_letters_is_arabic(text):
    assert detect(text) == "ar"


@pytest.mark.parametrize(
    "text",
    [
        "الرئیس الأمریکی یلتقی نظیره الروسی فی ألاسکا",
        "وزیر الخارجیة یصل الی موسکو",
        "مجلس الوزراء یبحث ازمة الکهرباء",
        "حریق فی سوق بیروت",
        "رئيس الوزراء المصرى يلتقى نظيره الليبى فى القاهرة",
        "مصطفى فهمى وليلى علوى",
        *(text.translate(ON_PERSIAN_KEYBOARD) for text in ARABIC_SCRIPT["ar"] if len(text) > 60),
    ],
)
def test_arabic_from_a_persian_or_an_egyptian_keyboard_is_arabic(text):
    assert detect(text) == "ar"


@pytest.mark.parametrize(
    "text", ["نامه‌اي كه دير رسيد", *(text.translate(ON_ARABIC_KEYBOARD) for text in ARABIC_SCRIPT["fa"])]
)
def test_persian_from_an_arabic_keyboard_is_persian(text):
    assert detect(text) == "fa"


def test_persian_word_that_begins_like_the_arabic_article_is_persian():
    assert detect("بالای برج میلاد") == "fa"


def test_a_hamza_apart_from_its_alef_is_part_of_it():
    assert detect(unicodedata.normalize("NFD", "رأي أحمد پاشا چلبي")) == "ar"


def test_an_arabic_article_that_quotes_persian_is_arabic():
    article = "\n".join(ARABIC_SCRIPT["ar"])
    assert detect(f"{article}\n«{ARABIC_SCRIPT['fa'][0]}»") == "ar"


def test_langdetect_decides_long_texts_that_letters_leave_open():
    # Persian typed on an Arabic keyboard, with more of أ than of words that only Persian has.
    short = "تأييد نهايي رأي داوران بي‌تأخير"
    long = f"سرود كودكان خردسال مدرسه‌هاي روستايي تأثير خوبي داشت؛ {short} فردا شب"
    assert (detect(short), detect(long)) == ("ar", "fa")


@pytest.mark.parametrize("text", BILINGUAL)
def test_a_paragraph_in_two_scripts_is_mixed(text):
    assert paragraph_language(text) == MIXED
    assert detect(text) in ("ar", "fa", "en")


@pytest.mark.parametrize(("text", "lang"), NOT_BILINGUAL.items())
def test_names_and_slogans_in_another_script_do_not_make_a_text_mixed(text, lang):
    assert (paragraph_language(text), detect(text)) == (lang, lang)


def test_half_of_a_short_text_is_not_enough_to_be_mixed():
    assert paragraph_language("نعم yes") == detect("نعم yes")


@pytest.mark.parametrize("text", PLAIN)
def test_forms_marks_and_tatweel_of_letters_change_no_language(text):
    lang = detect(text)
    assert detect("".join(FORMS.get(char, char) for char in text)) == lang
    assert detect("".join(f"{char}\u064e" if char.isalpha() else char for char in text)) == lang
    assert detect("".join(f"{char}\ufe76" if char.isalpha() else char for char in text)) == lang
    assert detect("".join(f"ـ{char}ـ" if char.isalpha() else char for char in text)) == lang
    assert detect(unicodedata.normalize("NFD", text)) == lang


def test_tatweel_makes_no_letters_of_a_script():
    assert detect("ـــــــــــــــــ Reuters") == "en"
    assert paragraph_language(FRENCH + "ـ" * len(FRENCH)) == "fr"


some_text = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            [*EVERY, "ة", "گ", "ے", "ۇ", "ـ", "\u064e", "\u200c", "ﷺ", "ﹰ", "٣", " ", "\n", "،", "x"]
        ),
        max_size=8,
    ).map("".join),
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(some_text)
def test_a_paragraph_is_mixed_or_in_the_language_of_its_text(text):
    lang = paragraph_language(text)
    assert lang in (MIXED, detect(text))
    assert detect(text) != MIXED
    assert paragraph_language(text) == lang
    assert direction(lang, text) in ("rtl", "ltr")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(some_text, st.text(st.characters(categories=["N", "P", "Z"]) | st.sampled_from("\t\r\n"), max_size=20))
def test_digits_punctuation_and_white_space_around_a_text_change_nothing(text, around):
    for changed in (text + around, around + text):
        assert (detect(changed), paragraph_language(changed)) == (detect(text), paragraph_language(text))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(EVERY), max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_paragraphs_changes_nothing(paragraphs, random):
    shuffled = random.sample(paragraphs, len(paragraphs))
    one, other = "\n".join(paragraphs), "\n".join(shuffled)
    assert (detect(one), paragraph_language(one)) == (detect(other), paragraph_language(other))


def test_paragraphs_of_the_mixed_article_are_in_one_language_each():
    article = (ROOT / "archive" / "ukraine" / "coalition-of-the-willing.mixed.txt").read_text("utf-8")
    paragraphs = article.splitlines()
    english = [paragraph.isascii() or "Élysée" in paragraph for paragraph in paragraphs]
    assert 0 < sum(english) < len(paragraphs)
    assert [paragraph_language(each) for each in paragraphs] == ["en" if each else "ar" for each in english]
    assert detect(article) == "ar"
    assert paragraph_language(article) == MIXED


@pytest.mark.skipif(not SEEDS.exists(), reason="needs the shared data")
def test_paragraphs_of_real_arabic_news_with_latin_names_are_arabic():
    lines = [line for path in sorted(SEEDS.iterdir()) for line in path.read_text("utf-8").splitlines()]
    paragraphs = [line for line in lines if script_of(line) == "Arab"]
    assert len(paragraphs) > 50
    assert {paragraph_language(paragraph) for paragraph in paragraphs} == {"ar"}


@pytest.mark.skipif(not SEEDS.exists(), reason="needs the shared data")
def test_real_paragraphs_are_in_the_language_they_are_labelled_with():
    rows = (DATA / "test" / "xquad-mixed" / "corpus.jsonl").read_text("utf-8").splitlines()[::4]
    paragraphs = [json.loads(row) for row in rows]
    labels = [row.get("lang") or row["metadata"]["lang"] for row in paragraphs]
    assert set(labels) == {"ar", "en"}
    assert [detect(row["text"]) for row in paragraphs] == labels
    assert [paragraph_language(row["text"]) for row in paragraphs] == labels


@pytest.mark.parametrize(
    ("title", "lang", "expected"),
    [
        ("Talks in Geneva", "en", "en"),
        ("أزمة المياه", "ar", "ar"),
        ("أزمة المياه", "en", "ar"),
        ("Talks in Geneva", "ar", "en"),
        ("شركة OpenAI تطلق نموذجا جديدا", "en", "ar"),
        ("کمبود آب در شهر", "fa", "fa"),  # the article knows better than a few words do
        ("Pourparlers", "fr", "fr"),
        ("2024", "en", "en"),
        ("", "ar", "ar"),
    ],
)
def test_a_title_is_in_its_articles_language_unless_it_runs_the_other_way(title, lang, expected):
    assert title_language(title, lang) == expected


@pytest.mark.parametrize(
    "address", ["https://www.example.so/" + "waxaan-ku-soo-dhawaynaynaa-" * 6, "@" + "handle" * 30]
)
def test_an_address_does_not_decide_the_language_of_a_paragraph(address):
    arabic, english = "قال الوزير إن الخطة ستبدأ قريبا.", "The minister said that the plan will begin soon."
    for text in (f"{arabic} {address}", f"{address}\n{arabic}"):
        assert (detect(text), paragraph_language(text)) == ("ar", "ar")
    assert paragraph_language(f"{english} {address}") == "en"
    assert detect(address) != "und"  # where there is nothing else, it counts
