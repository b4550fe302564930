"""Archives: a small one, and one like a newsroom's, with two languages, three sources, days over three years, duplicates, and a trap."""

import json
from pathlib import Path

TRAP = "<script>document.title='pwned'</script><img src=x onerror=alert(1)>"
OVERRIDE = "\u202egnihton\u202c"

_ENGLISH = {
    "grain": "Envoys met in Geneva to discuss the grain corridor across the Black Sea before the winter.",
    "dams": "The dams of the northern valleys are full again after the heavy rains of the winter, officials said.",
    "port": "Dock workers at the port returned to the cranes after a strike that lasted eleven days.",
    "museum": "The museum opened a hall of manuscripts that had been kept in boxes for forty years.",
    "solar": "A solar plant at the edge of the desert now gives light to two hundred thousand homes.",
    "press": "Printers of the old quarter still set the letters of the evening paper by hand.",
}
_ARABIC = {
    "grain": "اجتمع المبعوثون في جنيف لبحث ممر الحبوب عبر البحر الأسود قبل حلول الشتاء.",
    "dams": "امتلأت السدود في الوديان الشمالية بعد أمطار الشتاء الغزيرة بحسب ما قال مسؤولون في الوزارة.",
    "port": "عاد عمال الميناء إلى الرافعات بعد إضراب دام أحد عشر يوماً وأوقف السفن في عرض البحر.",
    "museum": "افتتح المتحف قاعة للمخطوطات التي ظلت محفوظة في صناديقها أربعين عاماً.",
    "solar": "تمنح محطة شمسية على طرف الصحراء الضوء اليوم لمئتي ألف بيت في القرى المجاورة.",
    "press": "لا يزال عمال المطابع في الحي القديم يصفّون حروف صحيفة المساء بأيديهم.",
}
_MORE = {
    "en": "It was the {n} time this year that the matter came before the council of the city, and it will not be the last, "
    "since nobody has yet said who is to pay for what was agreed upon in the spring.",
    "ar": "وهذه هي المرة رقم {n} هذا العام التي تُعرض فيها المسألة على مجلس المدينة، ولن تكون الأخيرة، إذ لم يقل أحد بعد من "
    "سيدفع ثمن ما اتُّفق عليه في الربيع الماضي بين الأطراف كلها.",
}
DAYS = ["2023-11-02", "2024-03-15", "2024-12-31", "2025-01-01", "2025-06-20", None]
SOURCES = ["gazette", "wire", "صحيفة المرفأ"]


def write_small(folder: Path) -> Path:
    """Write two articles, one of each language, of two passages each; returns the folder."""
    (folder / "ar").mkdir(parents=True)
    (folder / "talks.txt").write_text(
        "Talks in Geneva\n"
        "Envoys met in Geneva on Monday to discuss the grain corridor across the Black Sea.\n"
        "They agreed to meet again in March, and the next round will be held in Vienna.\n",
        "utf-8",
    )
    (folder / "ar" / "water.txt").write_text(
        "أزمة المياه في الأردن\n"
        "أعلنت وزارة المياه أن السدود امتلأت بنسبة ٤٠ بالمئة بعد أمطار الشتاء الغزيرة.\n"
        "وقالت الحكومة إن محطة التحلية الجديدة في العقبة ستبدأ العمل خلال ثلاث سنوات.\n",
        "utf-8",
    )
    return folder


def write_press(folder: Path) -> Path:
    """Write the archive to a folder; returns it."""
    number = 0
    for lang, texts in (("en", _ENGLISH), ("ar", _ARABIC)):
        for topic, text in texts.items():
            place = folder / SOURCES[number % 3]
            place.mkdir(parents=True, exist_ok=True)
            title = " ".join(text.split()[:5])
            rest = [_MORE[lang].format(n=n) for n in range(number + 2, number + 6)]
            path = place / f"{topic}.{lang}.txt"
            path.write_text("\n\n".join([title, text, *rest]) + "\n", "utf-8")
            day = DAYS[number % len(DAYS)]
            if day:
                path.with_name(path.name + ".meta.json").write_text(json.dumps({"published": day}), "utf-8")
            number += 1
    (folder / "wire" / "copy.txt").write_text(_ENGLISH["dams"] + "\n", "utf-8")
    (folder / "gazette" / "copy.txt").write_text(_ENGLISH["dams"] + "\n", "utf-8")
    (folder / "wire" / "trap.txt").write_text(
        f"A trap {TRAP}\n\nThe harbour master wrote {TRAP} and {OVERRIDE} and \x1b[31m in the log of the harbour.\n",
        "utf-8",
    )
    (folder / "talks.txt").write_text(f"Talks\n\n{_ENGLISH['grain']}\n", "utf-8")
    return folder
