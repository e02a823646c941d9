"""Composition root of an API process: settings in, application out."""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Thread

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from core.time import Clock, utc_now
from mobility.api import (
    agents,
    bills,
    bookings,
    cards,
    chosen_itineraries,
    circles,
    devices,
    fare_data,
    geocode,
    held_usage,
    isochrone,
    live,
    maps,
    methods,
    offers,
    oidc,
    one_to_all,
    open_data,
    operations,
    own,
    partner_bookings,
    paying_riders,
    plan,
    plan_b,
    points,
    proofs,
    proposals,
    ratings,
    ride_share,
    rides,
    series,
    standard_covoiturage,
    stoptimes,
    tariffs,
    tiles,
    trip,
    usage,
    users,
    wishes,
)
from mobility.api.errors import add_error_handlers
from mobility.api.observed import Observed
from mobility.api.secured import Secured
from mobility.installation import Installation, open_installation
from mobility.logs import set_up_logs
from mobility.settings import Settings
from mobility.supervision import end_with_parent, tried_again_by_parent
from mobility.upkeep import Upkeep
from mobility.usage_queue import UsageQueue
from mobility.warm_up import warm_up, warm_up_fares
from mobility.wish_book import WishBook
from mobility.world import open_snapshot
from mobility.world_keeper import WorldKeeper

GZIP_FROM_BYTES = 2_000
SWITCH_INTERVAL_S = 0.0005
"""Threads take turns more often than Python's 5 ms: the keeper's must not hold up requests."""


def create_app(settings: Settings | None = None, clock: Clock = utc_now) -> FastAPI:
    """
    Application of one process; its world is loaded when it starts.

    Parameters
    ----------
    clock
        Tells the time to whatever people do: a rehearsal of a day has one of its own.
    """
    settings = settings or Settings()
    set_up_logs(settings)
    sys.setswitchinterval(SWITCH_INTERVAL_S)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        end_with_parent()
        with tried_again_by_parent():
            app.state.installation = installation = open_installation(settings)
            app.state.keeper = keeper = start_keeper(installation)
        app.state.wish_book = book = WishBook()
        upkeep = Upkeep(installation, keeper, book, clock)
        upkeep.start()
        gc.enable()  # see `mobility.serving_process`
        yield
        upkeep.stop()
        keeper.stop()
        installation.close()

    app = FastAPI(
        title="Mobility",
        version="0.1.0",
        description="Door-to-door journeys with timetables and live carpool offers. "
        "/api serves the MOTIS 2 API.",
        lifespan=lifespan,
        docs_url=None,  # the page of web/docs, which asks no third party
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.clock = clock
    app.state.usage_queue = UsageQueue()
    app.add_middleware(
        GZipMiddleware,
        minimum_size=GZIP_FROM_BYTES,
        exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, tiles.MEDIA_TYPE),
    )
    app.add_middleware(
        CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"],
        expose_headers=["Link", "ETag"],
    )  # fmt: skip
    app.add_middleware(Secured)
    app.add_middleware(Observed)
    app.add_middleware(methods.HeadAsGet)
    add_error_handlers(app)
    for module in (
        plan, geocode, stoptimes, trip, maps, one_to_all, own, isochrone, tiles, operations, users,
        agents, offers, bookings, plan_b, ratings, series, rides, live, wishes, proposals, oidc,
        open_data, standard_covoiturage, partner_bookings, ride_share, circles, points, usage,
        held_usage, bills, cards, proofs, chosen_itineraries, paying_riders, tariffs, fare_data,
        devices,
    ):  # fmt: skip
        app.include_router(module.router)
    app.include_router(methods.fallback)  # after every other router of the API
    if settings.web.is_dir():
        app.mount("/", StaticFiles(directory=settings.web, html=True), name="web")
    return app


def start_keeper(installation: Installation) -> WorldKeeper:
    """World of this process, loaded, warm, and following changes."""
    snapshot = open_snapshot(installation.snapshot_folder)
    keeper = WorldKeeper(
        snapshot,
        installation.engine,
        installation.wakeups,
        snapshots=installation.snapshots,
        revive=installation.revive,
    )
    keeper.start()
    warm_up(keeper.world)
    if snapshot.tariff is not None:
        Thread(target=warm_up_fares, args=(snapshot.tariff,), daemon=True).start()
    # What is loaded by now stays: a full collection would look at all of it for 0.2 s, every
    # request waiting, and a change of snapshots makes one likely.
    gc.collect()
    gc.freeze()
    return keeper
