"""Report pages."""

from django.urls import path
from django.views.generic import RedirectView

from reports import views

app_name = "reports"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="reports:reasons"), name="index"),
    path("reasons/", views.reasons, name="reasons"),
    path("fairness/", views.fairness, name="fairness"),
    path("fairness.json", views.fairness_json, name="fairness-json"),
    path("options/", views.options, name="options"),
    path("options.csv", views.options_csv, name="options-csv"),
    path("reasons.csv", views.reasons_csv, name="reasons-csv"),
]
