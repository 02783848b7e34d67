"""The guided way and the contract pages."""

from django.urls import path

from cancellation import commit, doors, views

app_name = "cancellation"
urlpatterns = [
    path("cancel/", doors.cancel, name="door"),
    path("cancel/<slug:pack>/", doors.cancel, name="door"),
    path("cancel/done/<str:key>/", doors.done, name="door-done"),
    path("withdraw/", doors.withdraw, name="withdrawal-door"),
    path("withdraw/<slug:pack>/", doors.withdraw, name="withdrawal-door"),
    path("withdraw/done/<str:key>/", doors.done, name="withdrawal-done"),
    path("not-me/<str:token>/", doors.not_me, name="not-me"),
    path("account/", views.account, name="account"),
    path("contracts/<str:ref>/", views.contract, name="contract"),
    path("contracts/<str:ref>/cancel/", views.overview, name="overview"),
    path("contracts/<str:ref>/cancel/reasons/", views.reasons, name="reasons"),
    path("contracts/<str:ref>/cancel/confirm/", views.confirm, name="confirm"),
    path("contracts/<str:ref>/cancel/now/", commit.commit, name="commit"),
    path("contracts/<str:ref>/cancel/done/", views.done, name="done"),
    path("contracts/<str:ref>/cancel/last-day.ics", views.calendar, name="calendar"),
    path("contracts/<str:ref>/cancel/undo/", commit.undo, name="undo"),
]
