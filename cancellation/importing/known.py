"""What the database knows about a batch of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cancellation.importing.rows import Row
from cancellation.models import Cancellation, Notice, NoticeState, State, Way
from subscriptions.models import Contract, Customer


@dataclass(frozen=True, slots=True)
class Known:
    """Contracts and customers by reference, imported ends by contract, and the contracts that are protected."""

    contracts: dict[str, Contract]
    customers: dict[str, Customer]
    ends: dict[int, Cancellation]
    protected: set[int]

    @classmethod
    def of(cls, rows: Sequence[Row], *, lock: bool) -> Known:
        """Read what is known about a batch with a handful of statements, however many rows it has."""
        contracts = Contract.objects.filter(reference__in=[row.reference for row in rows]).order_by("pk")
        if lock:
            # A notice that comes in meanwhile waits for the batch, or the batch for it.
            contracts = contracts.select_for_update(of=("self",))
        found = {contract.reference: contract for contract in contracts.select_related("customer")}
        numbers = [contract.pk for contract in found.values()]
        ends = Cancellation.objects.filter(contract__in=numbers).exclude(state=State.REVOKED)
        imported = {end.contract_id: end for end in ends if end.way == Way.IMPORTED}
        own = {end.contract_id for end in ends if end.way != Way.IMPORTED}
        waiting = Notice.objects.filter(
            contract__in=numbers, cancellation__isnull=True, state=NoticeState.MATCHED
        ).values_list("contract_id", flat=True)
        wanted = {row.customer_reference or row.reference for row in rows}
        customers = {one.reference: one for one in Customer.objects.filter(reference__in=wanted)}
        return cls(found, customers, imported, own | set(waiting))

    def is_protected(self, row: Row) -> bool:
        """Tell whether the holder has given notice here: then nothing is overwritten."""
        contract = self.contracts.get(row.reference)
        return contract is not None and contract.pk in self.protected

    def customer_for(self, row: Row) -> Customer:
        """Return whose contract it is. A file that names no customer leaves a contract with whom it belongs to."""
        contract = self.contracts.get(row.reference)
        if row.customer_reference is None and contract is not None:
            return self.customers.setdefault(contract.customer.reference, contract.customer)
        reference = row.customer_reference or row.reference
        return self.customers.setdefault(reference, Customer(reference=reference))
