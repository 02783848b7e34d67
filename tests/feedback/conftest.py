"""One contract to say something about."""

from datetime import date

import pytest

from subscriptions.models import Contract, Customer, Plan, Product


@pytest.fixture
def contract(db) -> Contract:
    """Return a running contract without anything special."""
    plan = Plan.objects.create(
        product=Product.objects.create(code="hosting", name="Hosting"), code="basic", name="Basic"
    )
    return Contract.objects.create(
        reference="C-1",
        customer=Customer.objects.create(reference="K-1", name="Ada"),
        plan=plan,
        terms={},
        starts_on=date(2026, 1, 1),
        price_minor=1000,
        currency="EUR",
        monthly_charge_minor=1000,
    )
