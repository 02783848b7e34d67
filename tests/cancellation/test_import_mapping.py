"""A mapping is data: every mistake in it is answered with the key that is wrong."""

import tomllib

import pytest

from cancellation.importing.declared import PLAIN, from_dict, load
from cancellation.importing.lines import FileError
from cancellation.importing.mapping import lay_out
from feedback.models import Root
from subscriptions.periods import Period
from subscriptions.reading import FieldError
from tests.cancellation.import_help import EXAMPLES, TELCO, csv_of, run

LEAST = """
name = "x"
[columns]
reference = "Ref"
product = "Product"
plan = "Plan"
starts_on = "Start"
price = "Price"
kind = "Kind"
[defaults]
currency = "EUR"
timezone = "Europe/Berlin"
counting = "same_day_number"
notice = "1 month"
notice_to = "month_end"
billing = { months = 1 }
"""


def mapping_of(text):
    return from_dict(tomllib.loads(text))


@pytest.mark.parametrize("path", [PLAIN, TELCO, EXAMPLES / "contracts.toml"], ids=lambda path: path.name)
def test_every_mapping_that_is_shipped_can_be_used(path):
    assert load(path).columns["reference"].names


def test_defaults_are_read_once_into_what_terms_need():
    mapping = mapping_of(LEAST)

    assert mapping.defaults["notice"] == mapping.defaults["billing"] == Period(months=1)
    assert (mapping.encoding, mapping.delimiter, mapping.decimal) == ("utf-8", "", "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("name", "nam"), 'mapping: unknown field "nam"; known are name, columns, encoding'),
        (('name = "x"', "name = 3"), "name: 3 cannot be used; give a text"),
        (('name = "x"', f'name = "{"x" * 41}"'), "name: has 41 characters; at most 40 can be kept"),
        (('reference = "Ref"', ""), "columns.reference: is missing; a contract is found again by its reference"),
        (('reference = "Ref"', "reference = []"), "columns.reference: is empty; give a text or a list of texts"),
        (('reference = "Ref"', "reference = [1]"), "columns.reference: 1 cannot be used; give a text"),
        (
            ('reference = "Ref"', 'reference = { name = "Ref" }'),
            'columns.reference: unknown field "name"; known are names, optional',
        ),
        (
            ('reference = "Ref"', 'reference = { names = ["Ref"], optional = "yes" }'),
            'columns.reference.optional: "yes" cannot be used; give true or false',
        ),
        (('price = "Price"', ""), "columns.price: is missing; name its column, or give a default (defaults.price)"),
        (('price = "Price"', 'prise = "Price"'), 'columns: unknown field "prise"; known are reference,'),
        (('notice = "1 month"', ""), "columns.notice: is missing; name its column, or give a default"),
        (('starts_on = "Start"', ""), "columns.starts_on: is missing; name its column, or give a default"),
        (('currency = "EUR"', 'currency = "EURO"'), 'defaults.currency: "EURO" is not a currency; give an ISO 4217'),
        (('currency = "EUR"', "currency = 7"), "defaults.currency: 7 cannot be used; give a text"),
        (('notice = "1 month"', 'notice = "soon"'), 'defaults.notice: "soon" is not a notice; write one like'),
        (('notice = "1 month"', "notice = { months = -1 }"), 'defaults.notice: {"months": -1} period.months: -1 '),
        (('notice_to = "month_end"', 'notice_to = "week"'), 'defaults.notice_to: "week" "week" is not known; give'),
        (('currency = "EUR"', 'email = "a@b.example"'), 'defaults: unknown field "email"; known are'),
    ],
)
def test_a_mistake_is_answered_with_its_key(change, said):
    old, new = change

    with pytest.raises(FieldError) as refused:
        mapping_of(LEAST.replace(old, new, 1))

    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ('encoding = "utf8x"', 'encoding: "utf8x" is not an encoding of text; give one like utf-8 or cp1252'),
        ('encoding = "rot13"', 'encoding: "rot13" is not an encoding of text'),
        ('encoding = "base64"', 'encoding: "base64" is not an encoding of text'),
        ('delimiter = ",,"', 'delimiter: ",," is not known; give one of ",", ";"'),
        ('decimal = "x"', 'decimal: "x" is not known; give one of ".", ",", or leave it out'),
        ('days = "day"', 'days: "day" is not a pattern; give one like %d.%m.%Y'),
        ('payments = "all"', 'payments: "all" is not known; give one of "last_period", or leave it out'),
        ("facts = 3", "facts: 3 is not a table; begin it with [facts]"),
        ('facts = { price = "x" }', "facts.price: is a column of its own; move it to columns"),
        ("values = { colour = {} }", 'values: unknown field "colour"; known are reference,'),
        ("values = { kind = 3 }", "values.kind: 3 is not a table"),
        ('values = { kind = { a = ["x"], b = ["X "] } }', 'values.kind: "X " stands for two things'),
        ("kinds = { a = 3 }", "kinds.a: 3 is not a table"),
        ('kinds = { a = {}, "A " = {} }', 'kinds.A : "A " stands for two kinds'),
        ('kinds = { a = { notice = "x" } }', 'kinds.a.notice: "x" is not a notice'),
        ("kinds = { a = { spellings = [3] } }", "kinds.a.spellings: 3 cannot be used; give a text"),
        ('kinds = { "=a" = {} }', "kinds.=a: begins like a spreadsheet formula"),
        ("plans = 3", "plans: is not a list of tables; begin each with [[plans]]"),
        ("plans = [{}]", "product: is missing; plans[0] needs product, plan"),
        (
            'plans = [{ product = "a", plan = "b", plan_code = "a b" }]',
            'plans[0].plan_code: "a b" is not a code; give at most 64 of a-z, 0-9, - and _',
        ),
        (
            'plans = [{ product = "a", plan = "b", when = { colour = "red" } }]',
            'plans[0].when: unknown field "colour"; known are',
        ),
        (
            'plans = [{ product = "a", plan = "b", when = { kind = "x" } }]',
            "plans: no plan is left for rows that fit none; end with one that has no when",
        ),
        ('reasons = { other = "x" }', 'reasons: unknown field "other"; known are texts, otherwise'),
        ('reasons = { otherwise = "x" }', 'reasons.otherwise: "x" is not a root; give one of outcome, outlook,'),
        ("reasons = { texts = 3 }", "reasons.texts: is not a list"),
        ("reasons = { texts = [{}] }", "root: is missing; reasons.texts[0] needs root"),
        ('reasons = { texts = [{ root = "cost" }] }', "reasons.texts[0]: names neither a reason nor a category"),
        (
            'reasons = { texts = [{ root = "cost", reason = "a", elsewhere = "yes" }] }',
            'reasons.texts[0].elsewhere: "yes" cannot be used; give true or false',
        ),
        (
            'reasons = { texts = [{ root = "cost", reason = "a" }, { root = "cost", reason = "A" }] }',
            'reasons.texts[1]: "A" stands there twice',
        ),
    ],
)
def test_a_mistake_in_what_may_be_left_out_is_answered_with_its_key(added, said):
    with pytest.raises(FieldError) as refused:
        mapping_of(f"{added}\n{LEAST}")

    assert str(refused.value).startswith(said)


def test_kinds_need_a_column_to_be_chosen_by():
    with pytest.raises(FieldError, match=r"columns\.kind: is missing; the tables below kinds are chosen by it"):
        mapping_of(f"kinds = {{ a = {{}} }}\n{LEAST.replace('kind = ' + chr(34) + 'Kind' + chr(34), '')}")


def test_terms_that_every_kind_has_need_no_default():
    text = LEAST.replace('notice = "1 month"', "") + '[kinds.a]\nnotice = "1 month"\n[kinds.b]\nnotice = "2 months"\n'

    kinds = mapping_of(text).kinds

    assert [kinds[name].defaults["notice"] for name in "ab"] == [Period(months=1), Period(months=2)]


def test_columns_are_found_whatever_their_case_blanks_and_order():
    layout = lay_out(mapping_of(LEAST), ["KIND", " price ", "Start", "plan", "PRODUCT", "other", "R_e-f"])

    assert layout.places == {"kind": 0, "price": 1, "starts_on": 2, "plan": 3, "product": 4, "reference": 6}
    assert layout.name_of("price") == " price "
    assert layout.name_of("email") == "email"


def test_the_first_name_that_is_there_is_taken():
    mapping = mapping_of(LEAST.replace('"Price"', '["Net", "Price", "Gross"]'))

    assert lay_out(mapping, ["Gross", "Ref", "Price", "Product", "Plan", "Start", "Kind"]).places["price"] == 2


def test_an_optional_column_may_be_absent_but_not_where_nothing_else_tells():
    text = LEAST.replace('"Price"', '{ names = ["Net", "Price"], optional = true }')
    header = ["Ref", "Product", "Plan", "Start", "Kind"]

    with pytest.raises(FileError) as refused:
        lay_out(mapping_of(text), header)

    assert str(refused.value) == (
        'The column is missing: "Net" or "Price". The file has: "Ref", "Product", "Plan", "Start", "Kind".'
    )
    assert "price" not in lay_out(mapping_of(text.replace("[defaults]", '[defaults]\nprice = "1.00"')), header).places


def test_a_reason_is_looked_up_as_a_pair_then_by_its_text_then_by_its_category():
    texts = """[reasons]
otherwise = "circumstance"
texts = [
  { category = "A", reason = "x", root = "cost" },
  { reason = "x", root = "outcome", elsewhere = true },
  { category = "A", root = "outlook" },
]
"""
    mapping = mapping_of(LEAST + texts)

    def root(category, reason):
        rule, listed = mapping.reason_for(category, reason)
        return rule.root, listed

    assert root("a ", "X") == (Root.COST, True)
    assert root("B", "x") == root("", "x") == (Root.OUTCOME, True)
    assert root("A", "y") == (Root.OUTLOOK, False)
    assert root("B", "y") == (Root.CIRCUMSTANCE, False)
    assert root("", "") == (Root.CIRCUMSTANCE, True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ticks", "said"),
    [
        ("nonsense", 'reasons.texts: ticks "nonsense", which is no reason here; add it or leave it out.'),
        ("outcome-results", 'reasons.texts: ticks "outcome-results" below the root outcome, but says cost.'),
    ],
)
def test_a_reason_to_tick_must_be_there_below_the_same_root(tmp_path, ticks, said):
    mapping, file = tmp_path / "mapping.toml", tmp_path / "contracts.csv"
    text = f'[reasons]\ntexts = [{{ reason = "a", root = "cost", ticks = "{ticks}" }}]\n'
    mapping.write_text(PLAIN.read_text(encoding="utf-8") + text, encoding="utf-8")
    file.write_text(csv_of({}), encoding="utf-8")

    result = run(file, "--mapping", str(mapping))

    assert (result.status, result.error) == (2, f"Nothing was imported. {said}")
