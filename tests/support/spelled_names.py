"""Names in the news as both scripts spell them, in two halves: by the first one the keys were chosen."""


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(latin, arabic) for latin, arabic in (pair.split() for pair in text.split(";"))]


CHOSEN_BY = _pairs("""
Dmitriev دميترييف; Dmitriyev دميترييف; Kyiv كييف; Kiev كييف; Zelensky زيلينسكي; Zelenskyy زيلنسكي;
Guterres غوتيريش; Gaddafi قذافي; Qaddafi القذافي; Kadhafi القذافي; Mohammed محمد; Muhammad محمد;
Mohamed محمد; Mehmet محمد; Ahmed أحمد; Hussein حسين; Saddam صدام; NATO الناتو; Putin بوتين;
Moscow موسكو; Washington واشنطن; London لندن; Paris باريس; Berlin برلين; Beijing بكين; Tokyo طوكيو;
Netanyahu نتنياهو; Khamenei خامنئي; Rouhani روحاني; Erdogan أردوغان; Macron ماكرون; Merkel ميركل;
Merz ميرتس; Scholz شولتس; Trump ترامب; Biden بايدن; Obama أوباما; Clinton كلينتون; Lavrov لافروف;
Peskov بيسكوف; Medvedev ميدفيديف; Kellogg كيلوغ; Witkoff ويتكوف; Rubio روبيو; Vance فانس;
Hegseth هيغسيث; Fogel فوغل; Wagner فاغنر; Prigozhin بريغوجين; Shoigu شويغو; Gerasimov غيراسيموف;
Kursk كورسك; Donetsk دونيتسك; Kharkiv خاركيف; Odesa أوديسا; Odessa أوديسا; Zaporizhzhia زابوريجيا;
Crimea القرم; Jeddah جدة; Riyadh الرياض; Dubai دبي; Doha الدوحة; Damascus دمشق; Aleppo حلب;
Baghdad بغداد; Mosul الموصل; Sanaa صنعاء; Cairo القاهرة; Alexandria الإسكندرية; Khartoum الخرطوم;
Tripoli طرابلس; Tunis تونس; Rabat الرباط; Johnson جونسون; Charles تشارلز; Joseph جوزيف; Michael مايكل;
Christopher كريستوفر; Thatcher ثاتشر; Smith سميث; Chavez تشافيز; Mexico المكسيك; Juncker يونكر;
Jordan الأردن; George جورج; Khashoggi خاشقجي; Sisi السيسي; Assad الأسد; Salman سلمان; Khalid خالد;
Faisal فيصل; Abdullah عبدالله; Yousef يوسف; Youssef يوسف; Omar عمر; Ali علي; Ibrahim إبراهيم;
Huawei هواوي; Google غوغل; Google جوجل; Facebook فيسبوك; Twitter تويتر; Microsoft مايكروسوفت;
Apple آبل; Tesla تسلا; Musk ماسك; Zuckerberg زوكربيرغ; Xi شي; Jinping جينبينغ; Zhang تشانغ; Modi مودي;
Gandhi غاندي; Pakistan باكستان; Ukraine أوكرانيا; Belarus بيلاروسيا; Lukashenko لوكاشينكو; Minsk مينسك;
Tsunami تسونامي; Houthi الحوثي; Hamas حماس; Haniyeh هنية; Sinwar السنوار; Nasrallah نصرالله; Qatar قطر;
Kuwait الكويت; Oman عمان; Yemen اليمن; Sudan السودان; Burhan البرهان; Hemedti حميدتي; Ronaldo رونالدو;
Messi ميسي; Guardiola غوارديولا; Mourinho مورينيو; Schumacher شوماخر; Nietzsche نيتشه;
Shakespeare شكسبير; Einstein أينشتاين; Wolfgang فولفغانغ; Volkswagen فولكسفاغن; Gustav غوستاف;
Bach باخ; Chopin شوبان; Rousseau روسو; Bordeaux بوردو; Versailles فرساي
""")

HELD_OUT = _pairs("""
Sergei سيرغي; Vladimir فلاديمير; Nikolai نيكولاي; Yevgeny يفغيني; Navalny نافالني; Kadyrov قديروف;
Surovikin سوروفيكين; Budanov بودانوف; Yermak يرماك; Zaluzhny زالوجني; Syrskyi سيرسكي; Kuleba كوليبا;
Umerov أوميروف; Stoltenberg ستولتنبرغ; Rutte روته; Borrell بوريل; Leyen لاين; Meloni ميلوني;
Orban أوربان; Sanchez سانشيز; Starmer ستارمر; Sunak سوناك; Blinken بلينكن; Sullivan سوليفان;
Harris هاريس; Walz والز; Vucic فوتشيتش; Tusk توسك; Duda دودا; Fico فيكو; Pashinyan باشينيان;
Aliyev علييف; Saakashvili ساكاشفيلي; Nazarbayev نزارباييف; Tokayev توكاييف; Raisi رئيسي; Zarif ظريف;
Pezeshkian بزشكيان; Araghchi عراقجي; Gallant غالانت; Lapid لابيد; Gantz غانتس; Smotrich سموتريتش;
Herzog هرتسوغ; Mikati ميقاتي; Hariri الحريري; Barzani بارزاني; Maliki المالكي; Sudani السوداني;
Dbeibah الدبيبة; Haftar حفتر; Tebboune تبون; Bourita بوريطة; Ghannouchi الغنوشي; Shoukry شكري;
Safadi الصفدي; Mariupol ماريوبول; Bakhmut باخموت; Kherson خيرسون; Luhansk لوهانسك;
Sevastopol سيفاستوبول; Dnipro دنيبرو; Poltava بولتافا; Belgorod بيلغورود; Rostov روستوف;
Vladivostok فلاديفوستوك; Tbilisi تبليسي; Yerevan يريفان; Baku باكو; Tashkent طشقند; Almaty ألماتي;
Raqqa الرقة; Idlib إدلب; Fallujah الفلوجة; Rafah رفح; Jenin جنين; Nairobi نيروبي; Kampala كمبالا;
Kigali كيغالي; Lagos لاغوس; Dakar داكار; Gazprom غازبروم; Rosneft روسنفت; Interfax إنترفاكس;
Bloomberg بلومبرغ; Reuters رويترز; Sputnik سبوتنيك; Pentagon البنتاغون; Kremlin الكرملين;
Mossad الموساد; Interpol الإنتربول; Boeing بوينغ; Airbus إيرباص; Lockheed لوكهيد; Samsung سامسونغ;
Toyota تويوتا; Instagram إنستغرام; Telegram تيليغرام; Nvidia إنفيديا; Aramco أرامكو
""")
