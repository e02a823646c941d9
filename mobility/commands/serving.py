"""Commands that start and stop processes: serve, worker, demo, stop, db upgrade."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from mobility.commands.terminal import console, progress_bar
from mobility.settings import Settings

GRACE_S = 30
"""Longest wait for requests under way when a server is told to stop."""

app = typer.Typer()
db_app = typer.Typer(help="The database of this installation.", no_args_is_help=True)
app.add_typer(db_app, name="db")


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="TCP port.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    workers: Annotated[int, typer.Option(help="Processes.", min=1, max=64)] = 1,
    snapshot: Annotated[Path | None, typer.Option(help="Snapshot folder.")] = None,
) -> None:
    """Serve the API and the page. Example: mobility serve --port 8080"""
    import uvicorn

    from mobility.installation import open_installation
    from mobility.metrics_folder import share_metrics
    from mobility.supervision import wait_for_port

    if snapshot is not None:
        os.environ["MOBILITY_SNAPSHOT"] = str(snapshot)
    open_installation(Settings()).close()  # a clear error here beats one in each worker
    share_metrics(Settings().home)
    wait_for_port(host, port)
    uvicorn.run(
        "mobility.serving_process:create_app", factory=True, host=host, port=port, workers=workers,
        log_config=None, access_log=False, timeout_graceful_shutdown=GRACE_S,
    )  # fmt: skip


@app.command()
def worker() -> None:
    """Keep offers compiled for the current snapshot. Example: mobility worker"""
    from mobility.installation import open_installation
    from mobility.metrics_folder import share_metrics

    installation = open_installation(Settings())
    share_metrics(Settings().home)
    from mobility.jobs.compile_offers import follow_offers

    follow_offers(installation)
    installation.close()


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="TCP port.")] = 8080,
    once: Annotated[bool, typer.Option("--once", help="Stop when the journey is printed.")] = False,
) -> None:
    """Generate, build, seed and serve the demo territory. Example: mobility demo --port 8080"""
    from mobility.actions.run_demo import example_journey, prepare_demo, start_server, users_file
    from mobility.actions.seed_demo_users import read_users
    from mobility.installation import stop_servers
    from mobility.printing import print_motis_itinerary

    settings = Settings()
    with progress_bar(shown=True) as step:
        territory = prepare_demo(settings, on_step=step)
        step("API server (the first start compiles the search, a minute and a half)")
        server = start_server(settings, port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the server ends with us
    example, answer = example_journey(territory, server.base_url)
    console.print(f"\n[bold]{example['title_fr']}[/] ({example['depart']})")
    best = max(answer["itineraries"], key=lambda it: it["mobility"]["family"] == "carpool")
    print_motis_itinerary(
        console, best, start_name=example["from"]["name"], end_name=example["to"]["name"]
    )
    console.print(f"\nOpen [bold]{server.base_url}[/]   (API: {server.base_url}/docs)")
    console.print("\nUsers of this demo (POST /mobility/v1/sessions, or the token as bearer):")
    for user in read_users(users_file(settings)):
        console.print(
            f"  {user['email']:<24} {user['password']}  {user['token']}", highlight=False,
            soft_wrap=True,
        )  # fmt: skip
    console.print("Generated territory and offers; Ctrl-C stops the demo.", style="dim")
    try:
        if not once:
            server.process.wait()
    except KeyboardInterrupt:
        console.print("Stopping …")
    finally:
        server.process.terminate()
        server.process.wait(timeout=30)
        stop_servers(settings)


@app.command()
def story(
    port: Annotated[int, typer.Option(help="TCP port.")] = 8079,
    calls: Annotated[bool, typer.Option("--calls", help="Print each request, too.")] = False,
) -> None:
    """Tell a day on the demo by its API, from a wish to the rated ride. Example: mobility story"""
    import httpx

    from mobility.actions.run_demo import prepare_demo
    from mobility.actions.tell_story import Story, StoryClock
    from mobility.installation import stop_servers
    from mobility.rehearsal import served

    settings = Settings()
    settings = settings.model_copy(update={"home": settings.home / "story"})
    with progress_bar(shown=True) as step:
        prepare_demo(settings, on_step=step)
    clock = StoryClock()

    def say(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True)

    try:
        with served(settings, clock, port) as address, httpx.Client(base_url=address) as http:
            told = Story(settings, clock, http, say)
            told.tell()
    finally:
        stop_servers(settings)
    for method, path in told.calls if calls else []:
        console.print(f"{method} {path}", style="dim", highlight=False, soft_wrap=True)


@app.command()
def stop() -> None:
    """Stop the embedded servers of this home. Example: mobility stop"""
    from mobility.installation import stop_servers

    stopped = stop_servers(Settings())
    console.print(f"Stopped: {', '.join(stopped)}" if stopped else "Nothing was running.")


@db_app.command("upgrade")
def db_upgrade() -> None:
    """Bring the database schema up to date. Example: mobility db upgrade"""
    from mobility.installation import open_installation

    open_installation(Settings()).close()
    console.print("The database is up to date.")
