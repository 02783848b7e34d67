"""Who agreed to what: customers, plans, contracts as agreed, payments and use.

Money is an integer of the currency's minor unit beside its ISO 4217 code; days are calendar dates in the
contract's own time zone. What was agreed stands on the contract, whatever its plan says later.
"""

from __future__ import annotations

import secrets

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from subscriptions import terms as pure
from subscriptions.amounts import Money
from subscriptions.wording import refused

# No 0/O, 1/I/L: a reference is read out on the phone.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


# It stands in the addresses of pages, so it has no blanks and none of the signs that mean something there.
fits_an_address = RegexValidator(
    r"^(?!\.{1,2}$)[^\s/\\?#%\x00-\x1f]{1,64}$", _("A reference has 1 to 64 characters without blanks, / \\ ? # or %.")
)


def new_reference(prefix: str, length: int = 8) -> str:
    """Return an unguessable reference that can be read out, such as ``C-7KQ2MX4P``."""
    return f"{prefix}-{''.join(secrets.choice(ALPHABET) for _ in range(length))}"


def customer_reference() -> str:
    """Return a new customer reference."""
    return new_reference("K")


def contract_reference() -> str:
    """Return a new contract reference."""
    return new_reference("C")


class RefundPolicy(models.TextChoices):
    """How paid time that is not used is given back."""

    NONE = "none", _("no refund")
    DAILY = "daily", _("by unused days")
    MONTHLY = "monthly", _("by whole unused months")


class Customer(models.Model):
    """A contract holder. Customers are not users of the admin; they sign in by a link."""

    reference = models.CharField(_("reference"), max_length=64, unique=True, default=customer_reference)
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail address"), max_length=254, blank=True, db_index=True)
    locale = models.CharField(_("language"), max_length=12, default="en")
    country = models.CharField(_("country"), max_length=2, blank=True, help_text=_("ISO 3166 code, such as DE"))
    # Signing out everywhere raises this number; older cookies stop working.
    sign_in_epoch = models.PositiveIntegerField(_("sign-in epoch"), default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["name", "pk"]
        indexes = [
            models.Index(fields=["name"], name="customer_name"),
            # The sign-in finds an address in whatever letters it was typed (``iexact`` compares in capitals).
            models.Index(Upper("email"), name="customer_email_anyhow"),
        ]

    def __str__(self) -> str:
        return self.name or self.reference


class Sector(models.TextChoices):
    """A kind of service for which a place may have rules of its own."""

    TELECOM = "telecom", _("telecommunications")
    MOBILE = "mobile", _("mobile telephony")


class Product(models.Model):
    """What is sold, such as web hosting."""

    code = models.SlugField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=200)
    sector = models.CharField(
        _("sector"),
        max_length=12,
        choices=Sector.choices,
        blank=True,
        help_text=_("Some places have rules of their own for some kinds of service."),
    )

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a name that presses: it stands on every page of the way out."""
        if wrong := refused([("name", self.name)]):
            raise ValidationError(wrong)


class Plan(models.Model):
    """A product at a price list. Its terms are the template that new contracts copy."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="plans", verbose_name=_("product"))
    code = models.SlugField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=200)
    stays_usable = models.TextField(
        _("what stays usable"),
        blank=True,
        help_text=_("What the customer keeps after the last day, in plain words."),
    )
    early_release = models.BooleanField(
        _("may be left before the end of a fixed term"),
        default=True,
        help_text=_("For the exit fee that the page works out: never more than staying would cost."),
    )

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse words that press: they stand on the pages of the way out and in its letters."""
        if wrong := refused([("name", self.name), ("stays_usable", self.stays_usable)]):
            raise ValidationError(wrong)


class PlanPrice(models.Model):
    """A plan's price from a day on; the latest that has begun is today's price."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="prices", verbose_name=_("plan"))
    valid_from = models.DateField(_("valid from"))
    price_minor = models.BigIntegerField(_("price in minor units"))
    currency = models.CharField(_("currency"), max_length=3)

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["plan", "-valid_from"]
        constraints = [
            models.UniqueConstraint(name="one_price_a_day", fields=["plan", "currency", "valid_from"]),
            models.CheckConstraint(name="plan_price_not_negative", condition=Q(price_minor__gte=0)),
        ]

    def __str__(self) -> str:
        return str(Money(self.price_minor, self.currency))


class Contract(models.Model):
    """What a customer agreed to, as agreed."""

    reference = models.CharField(
        _("reference"), max_length=64, unique=True, default=contract_reference, validators=[fits_an_address]
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="contracts", verbose_name=_("customer")
    )
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="contracts", verbose_name=_("plan"))
    kind = models.CharField(
        _("contract kind"),
        max_length=64,
        blank=True,
        help_text=_("As your business calls it, such as One Year."),
    )
    country = models.CharField(_("country"), max_length=2, blank=True, help_text=_("ISO 3166 code, such as DE"))
    region = models.CharField(
        _("region"),
        max_length=6,
        blank=True,
        help_text=_("Part of the country where it has rules of its own, such as CA"),
    )
    is_consumer = models.BooleanField(
        _("consumer contract"), default=True, help_text=_("Whether the law that protects consumers applies.")
    )
    terms = models.JSONField(_("terms as agreed"), help_text=_("How this contract ends; see docs/contracts.md."))
    starts_on = models.DateField(_("starts on"))
    concluded_at = models.DateTimeField(_("concluded at"), null=True, blank=True)
    informed_of_withdrawal = models.BooleanField(
        _("told of the right to withdraw"), default=True, help_text=_("If not, the right lasts a year longer.")
    )
    asked_to_start = models.BooleanField(
        _("asked for an early start"),
        default=False,
        help_text=_("Whether the customer expressly asked to be served before the withdrawal period is over."),
    )
    price_minor = models.BigIntegerField(_("price per billing period, in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    monthly_charge_minor = models.BigIntegerField(
        _("monthly charge, in minor units"), help_text=_("The price per month, for reports.")
    )
    refund_policy = models.CharField(
        _("refund"), max_length=8, choices=RefundPolicy.choices, default=RefundPolicy.MONTHLY
    )
    upfront_cost_minor = models.BigIntegerField(_("up-front cost, in minor units"), default=0)
    exit_fee_cap_minor = models.BigIntegerField(_("cap of an exit fee, in minor units"), null=True, blank=True)
    # Other prices for a while, as agreed: [{"from", "to", "price_minor", "kind", "by"}, …]; see ``prices``.
    price_changes = models.JSONField(_("prices for a while"), default=list, blank=True, editable=False)
    source = models.CharField(_("source"), max_length=64, blank=True, editable=False)
    facts = models.JSONField(_("other facts"), default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        ordering = ["-starts_on", "-pk"]
        indexes = [
            models.Index(fields=["-starts_on", "-id"], name="contract_newest"),
        ]
        constraints = [
            models.CheckConstraint(name="price_not_negative", condition=Q(price_minor__gte=0)),
            models.CheckConstraint(name="upfront_cost_not_negative", condition=Q(upfront_cost_minor__gte=0)),
            models.CheckConstraint(
                name="exit_fee_cap_not_negative",
                condition=Q(exit_fee_cap_minor__isnull=True) | Q(exit_fee_cap_minor__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def clean(self) -> None:
        """Refuse terms that cannot be read, and a start that contradicts them."""
        try:
            agreed = pure.Terms.from_dict(self.terms)
        except pure.TermsError as error:
            raise ValidationError({"terms": str(error)}) from error
        if self.starts_on and agreed.starts_on != self.starts_on:
            raise ValidationError(
                {"starts_on": _("The terms say that the contract starts on %(day)s.") % {"day": agreed.starts_on}}
            )

    @cached_property
    def agreed(self) -> pure.Terms:
        """Return the terms as agreed, parsed."""
        return pure.Terms.from_dict(self.terms)

    @property
    def price(self) -> Money:
        """Return the price of one billing period."""
        return Money(self.price_minor, self.currency)


class Component(models.Model):
    """A part of a bundle, such as the domain or the server."""

    contract = models.ForeignKey(
        Contract, on_delete=models.CASCADE, related_name="components", verbose_name=_("contract")
    )
    kind = models.CharField(_("kind"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    depends_on = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="dependents",
        verbose_name=_("depends on"),
        help_text=_("The part without which this one does not work, such as the domain of a mailbox."),
    )
    ends_contract = models.BooleanField(
        _("ends the contract"),
        default=False,
        help_text=_("Whether the contract cannot go on without this part."),
    )

    class Meta:
        verbose_name = _("component")
        verbose_name_plural = _("components")
        ordering = ["contract", "pk"]

    def __str__(self) -> str:
        return self.name


class Payment(models.Model):
    """Money received for a stretch of days, both inclusive."""

    contract = models.ForeignKey(
        Contract, on_delete=models.CASCADE, related_name="payments", verbose_name=_("contract")
    )
    reference = models.CharField(_("reference"), max_length=100)
    paid_from = models.DateField(_("paid from"))
    paid_to = models.DateField(_("paid to"))
    amount_minor = models.BigIntegerField(_("amount, in minor units"))
    currency = models.CharField(_("currency"), max_length=3)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["contract", "-paid_from", "-pk"]
        constraints = [
            models.UniqueConstraint(name="one_payment_per_reference", fields=["contract", "reference"]),
            models.CheckConstraint(name="payment_days_in_order", condition=Q(paid_to__gte=F("paid_from"))),
            models.CheckConstraint(name="payment_not_negative", condition=Q(amount_minor__gte=0)),
        ]
        indexes = [models.Index(fields=["contract", "-paid_to"], name="payment_furthest")]

    def __str__(self) -> str:
        return f"{self.amount} {self.paid_from}–{self.paid_to}"

    @property
    def amount(self) -> Money:
        """Return what was paid."""
        return Money(self.amount_minor, self.currency)


class Activity(models.Model):
    """A day on which a contract was used, and for what."""

    contract = models.ForeignKey(
        Contract, on_delete=models.CASCADE, related_name="activities", verbose_name=_("contract")
    )
    day = models.DateField(_("day"))
    what = models.CharField(_("what"), max_length=64)
    amount = models.PositiveIntegerField(_("how much"), default=1)

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        ordering = ["contract", "-day"]
        constraints = [models.UniqueConstraint(name="one_activity_a_day", fields=["contract", "day", "what"])]

    def __str__(self) -> str:
        return f"{self.day} {self.what}"


class ConsentTopic(models.TextChoices):
    """What a customer can say yes or no to."""

    # The one message about a cancellation that was left half-way. Yes until somebody says no.
    HALFWAY = "halfway", _("a message when a cancellation was left half-way")
    # News and invitations to come back. No until somebody says yes.
    NEWS = "news", _("news and invitations to come back")
    # Some places want permission before options may stand in the way of leaving. No until somebody says yes.
    OPTIONS = "options", _("options shown while cancelling")
    # “Please do not contact me again” is a no to this. Yes until somebody says no.
    CONTACT = "contact", _("contact beyond what is necessary")


class Consent(models.Model):
    """A yes or no of a customer, with the words it was given to. Only ever added; the newest counts."""

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="consents", verbose_name=_("customer")
    )
    topic = models.CharField(_("about"), max_length=12, choices=ConsentTopic.choices)
    given = models.BooleanField(_("given"))
    wording = models.TextField(_("wording"))
    locale = models.CharField(_("language"), max_length=12, default="en")
    at = models.DateTimeField(_("at"))
    actor = models.CharField(_("by"), max_length=100)
    # What staff say where it is not the customer who chooses.
    why = models.TextField(_("why"), blank=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["customer", "topic", "-at"], name="consent_newest")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.topic} {self.given}"


class SignInToken(models.Model):
    """A sign-in link that was sent: valid once, until it expires."""

    nonce = models.CharField(max_length=43, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    next_path = models.CharField(max_length=300, blank=True)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("sign-in link")
        verbose_name_plural = _("sign-in links")

    def __str__(self) -> str:
        return f"{self.customer_id} until {self.expires_at:%F %T}"


class EntryToken(models.Model):
    """A token of a host app that was used at ``/enter/``; its row makes it single use."""

    issuer = models.CharField(max_length=100)
    jti = models.CharField(max_length=200)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("used entry token")
        verbose_name_plural = _("used entry tokens")
        constraints = [models.UniqueConstraint(name="entry_token_once", fields=["issuer", "jti"])]

    def __str__(self) -> str:
        return f"{self.issuer} {self.jti}"
