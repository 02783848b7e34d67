"""No tables: only the permission to read reports."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Access(models.Model):
    """Who may read reports. It has no table; it carries the permission ``reports.view_reports``."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [("view_reports", _("Can read the reports"))]
