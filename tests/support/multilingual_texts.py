"""Texts in the languages whose encodings are detected."""

NEWS = (
    "أعلنت وزارة النقل أن الجسر الجديد سيفتح أمام السيارات في شهر مارس، بعد ثلاث سنوات من العمل.\n"
    "وقال المهندس خالد العمري إن طول الجسر يبلغ 1,250 مترا؛ وهو أطول جسر في البلاد كلها.\n"
    "ولم تذكر الوزارة كلفة المشروع، غير أن صحيفة محلية قدرتها بنحو 40 مليون دولار.\n"
)
LIBRARY = (
    "كانت المكتبة القديمة تقع قرب السوق، وفيها أكثر من سبعة آلاف كتاب.\n"
    "هل بقي منها شيء؟ لا يعرف أحد ذلك على وجه اليقين.\n"
    "يقول جدي إن الناس نقلوا الكتب إلى بيوتهم قبل الفيضان، ثم عادوا بها إلى المدرسة.\n"
)
VOWELLED = "اِشْتَرَى الوَلَدُ كِتَابًا جَدِيدًا مِنَ السُّوقِ، ثُمَّ قَرَأَهُ عَلَى أُخْتِهِ الصَّغِيرَةِ فِي المَسَاءِ."
ENGLISH = (
    "The ferry had left before dawn – nobody saw it go. “We waited,” said the harbour master’s wife, "
    "“and then we went home…”\nTickets cost £12 or €15 in the café on the pier.\n"
)
FRENCH = (
    "À l’école, les élèves étaient déjà partis : la fenêtre, restée ouverte, battait au gré du vent d’été.\n"
    "« Où sont-ils ? » demanda le maître. Personne ne répondit ; ça ne l’étonna guère.\n"
)
GERMAN = "Über die alte Brücke führt eine schmale Straße; größere Fahrzeuge müssen außen herum fahren.\n"
PERSIAN = "ديروز در کتابخانه شهر چند کتاب تازه ديدم که درباره تاريخ ايران و مردم آن نوشته شده بود.\n"
URDU = "کل شام کو ميں نے بازار سے ايک کتاب خريدي اور اسے گھر لے گيا، ليکن وہ بہت پراني تھي۔\n"
MIXED = (
    "قالت شركة Nokia إن هاتفها الجديد X20 سيباع في مصر بسعر 300 دولار.\n"
    "The company calls it “the best yet” – and so do we.\n"
    "وأضاف المدير أن العدد محدود، وأن البيع يبدأ يوم 12/5/2025.\n"
)
RUSSIAN = (
    "Вчера вечером в городской библиотеке собрались читатели, чтобы поговорить о новых книгах и их авторах."
)
ARABIC = [NEWS, LIBRARY, VOWELLED]
TEXTS = [*ARABIC, ENGLISH, FRENCH, GERMAN, PERSIAN, URDU, MIXED, RUSSIAN]
FIVE_WORDS = ["أعلنت وزارة النقل افتتاح الجسر", "كانت المكتبة قرب السوق القديم", "لا يعرف أحد ذلك اليوم"]
