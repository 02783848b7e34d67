"""The reason tree as shipped: five roots, each with the reasons people tick, in five languages.

A reason that is there already under its code keeps the wording that a business gave it. Going back takes away
the shipped reasons that nobody has ticked; the others stay, for answers refer to them.
"""

from django.db import migrations

LANGUAGES = ("en", "de", "fr", "pl", "ja")

# Code, then the label in each language above, in the order in which they are offered below their root.
TREE = {
    "outcome": (
        (
            "outcome-results",
            "The results stayed below what I expected",
            "Die Ergebnisse blieben hinter meinen Erwartungen zurück",
            "Les résultats sont restés en dessous de mes attentes",
            "Efekty były słabsze od oczekiwanych",
            "期待した成果が得られなかった",
        ),
        (
            "outcome-reliability",
            "It did not work reliably",
            "Es lief nicht zuverlässig",
            "Le service n’était pas fiable",
            "Usługa działała zawodnie",
            "動作が安定しなかった",
        ),
        (
            "outcome-missing",
            "Something that I need is missing",
            "Etwas, das ich brauche, fehlt",
            "Il manque quelque chose dont j’ai besoin",
            "Brakuje czegoś, czego potrzebuję",
            "必要なものが足りない",
        ),
        (
            "outcome-equipment",
            "The devices or the technology are no longer good enough",
            "Geräte oder Technik reichen mir nicht mehr",
            "Le matériel ou la technique ne me suffit plus",
            "Urządzenia lub technologia już mi nie wystarczają",
            "機器や技術が十分でなくなった",
        ),
        (
            "outcome-capacity",
            "Too slow, or too little included",
            "Zu langsam oder zu wenig enthalten",
            "Trop lent, ou trop peu inclus",
            "Za wolno lub za mało w pakiecie",
            "速度や容量が足りない",
        ),
        (
            "outcome-unused",
            "I hardly use it, or never really got started",
            "Ich nutze es kaum oder habe nie richtig angefangen",
            "Je m’en sers à peine, ou je n’ai jamais vraiment commencé",
            "Prawie z tego nie korzystam albo korzystanie nigdy na dobre się nie zaczęło",
            "ほとんど使っていない、または使い始められなかった",
        ),
    ),
    "outlook": (
        (
            "outlook-no-progress",
            "I do not see it getting better",
            "Ich sehe nicht, dass es besser wird",
            "Je ne vois pas d’amélioration venir",
            "Nie widzę szans na poprawę",
            "この先良くなる見込みがない",
        ),
        (
            "outlook-skill",
            "I doubt that you know enough to help me",
            "Ich zweifle, ob Sie das nötige Können haben",
            "Je doute que vous ayez les compétences qu’il me faut",
            "Wątpię, czy mają Państwo potrzebną wiedzę",
            "専門知識や技術に不安がある",
        ),
        (
            "outlook-direction",
            "You are moving in another direction than I am",
            "Sie entwickeln sich in eine andere Richtung als ich",
            "Vous évoluez dans une autre direction que moi",
            "Rozwijają się Państwo w innym kierunku niż ja",
            "目指す方向が合わなくなった",
        ),
        (
            "outlook-future",
            "I am not sure that the service will last",
            "Ich bin nicht sicher, ob es den Dienst auf Dauer gibt",
            "Je doute que le service dure",
            "Nie mam pewności, czy usługa przetrwa",
            "サービスが続くか不安がある",
        ),
    ),
    "relationship": (
        (
            "relationship-unreachable",
            "I could not reach you when I needed you",
            "Ich habe Sie nicht erreicht, als ich Sie brauchte",
            "Je n’ai pas pu vous joindre quand il le fallait",
            "Nie było z Państwem kontaktu, gdy był potrzebny",
            "必要なときに連絡がつかなかった",
        ),
        (
            "relationship-not-understood",
            "I did not feel understood",
            "Ich fühlte mich nicht verstanden",
            "Je n’ai pas trouvé d’écoute",
            "Zabrakło zrozumienia moich potrzeb",
            "こちらの事情を理解してもらえなかった",
        ),
        (
            "relationship-manner",
            "I was not treated well",
            "Ich wurde nicht gut behandelt",
            "L’accueil n’a pas été correct",
            "Sposób, w jaki mnie potraktowano, nie był w porządku",
            "応対が良くなかった",
        ),
        (
            "relationship-promises",
            "Promises or dates were not kept",
            "Zusagen oder Termine wurden nicht eingehalten",
            "Des promesses ou des délais n’ont pas été tenus",
            "Obietnice lub terminy nie były dotrzymywane",
            "約束や期日が守られなかった",
        ),
        (
            "relationship-self-service",
            "I could not settle things online by myself",
            "Ich konnte online nichts selbst erledigen",
            "Je ne pouvais rien régler moi-même en ligne",
            "Nie można było samodzielnie załatwić spraw przez internet",
            "オンラインで自分で手続きできなかった",
        ),
    ),
    "cost": (
        (
            "cost-too-high",
            "It costs too much",
            "Es kostet zu viel",
            "C’est trop cher",
            "To za drogo",
            "料金が高い",
        ),
        (
            "cost-not-worth",
            "I get too little for the price",
            "Ich bekomme zu wenig für den Preis",
            "J’obtiens trop peu pour ce prix",
            "Za tę cenę dostaję za mało",
            "料金に見合う内容がない",
        ),
        (
            "cost-extras",
            "There were extra charges",
            "Es kamen Zusatzkosten hinzu",
            "Il y a eu des frais supplémentaires",
            "Doszły dodatkowe opłaty",
            "追加料金がかかった",
        ),
        (
            "cost-better-offer",
            "I have a better offer",
            "Ich habe ein besseres Angebot",
            "J’ai une meilleure offre",
            "Mam lepszą ofertę",
            "もっと良い条件の提案がある",
        ),
        (
            "cost-old-price",
            "New customers pay less than I do",
            "Neukunden zahlen weniger als ich",
            "Les nouveaux clients paient moins que moi",
            "Nowi klienci płacą mniej niż ja",
            "新規の契約のほうが安い",
        ),
    ),
    "circumstance": (
        (
            "circumstance-moved",
            "I am moving",
            "Ich ziehe um",
            "Je déménage",
            "Przeprowadzam się",
            "引っ越す",
        ),
        (
            "circumstance-no-need",
            "I no longer need it",
            "Ich brauche es nicht mehr",
            "Je n’en ai plus besoin",
            "Już tego nie potrzebuję",
            "必要がなくなった",
        ),
        (
            "circumstance-plans",
            "We are cutting back or have changed our plans",
            "Wir verkleinern uns oder haben andere Pläne",
            "Nous réduisons la voilure ou avons changé de plans",
            "Ograniczamy działalność lub zmieniliśmy plany",
            "事業の縮小や方針の変更",
        ),
        (
            "circumstance-closed",
            "The business is closing",
            "Der Betrieb schließt",
            "L’entreprise ferme",
            "Firma kończy działalność",
            "廃業する",
        ),
        (
            "circumstance-life",
            "Illness, or a change in my life",
            "Krankheit oder eine Veränderung in meinem Leben",
            "Maladie, ou changement dans ma vie",
            "Choroba lub zmiana w życiu",
            "病気や生活の変化",
        ),
        (
            "circumstance-died",
            "The contract holder has died",
            "Die Vertragsinhaberin oder der Vertragsinhaber ist verstorben",
            "La personne titulaire du contrat est décédée",
            "Osoba, z którą zawarto umowę, zmarła",
            "契約者が亡くなった",
        ),
    ),
}


def ship(apps, schema_editor):
    reason = apps.get_model("feedback", "Reason")
    rows = []
    for group, (root, reasons) in enumerate(TREE.items(), start=1):
        for place, (code, *labels) in enumerate(reasons, start=1):
            rows.append(
                reason(
                    code=code,
                    root=root,
                    labels=dict(zip(LANGUAGES, labels, strict=True)),
                    position=group * 100 + place * 10,
                )
            )
    reason.objects.using(schema_editor.connection.alias).bulk_create(rows, ignore_conflicts=True)


def take_back(apps, schema_editor):
    alias = schema_editor.connection.alias
    answers = apps.get_model("feedback", "Answer").objects.using(alias)
    codes = [code for reasons in TREE.values() for code, *_ in reasons]
    shipped = apps.get_model("feedback", "Reason").objects.using(alias).filter(code__in=codes)
    ticked = set(answers.exclude(primary=None).values_list("primary_id", flat=True))
    ticked |= set(answers.exclude(reasons=None).values_list("reasons", flat=True))
    shipped.exclude(pk__in=ticked).delete()


class Migration(migrations.Migration):
    dependencies = [("feedback", "0001_initial")]

    operations = [migrations.RunPython(ship, take_back)]
