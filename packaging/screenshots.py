"""Picture the window without a screen, with made-up chats in a home of its own.

    python packaging/screenshots.py --place chats --language de --theme dark --size 1180x780 \
        --out chat_de.png

Places: welcome, chats, models, machine, settings; of the model browser: browse, repository, card,
ours, organisation, gated, offline, busy, dns, nothing; of the downloads: downloads, troubles,
moments; of servers: servers (in the settings), certificate, chooser, remote (a chat).
`QT_SCALE_FACTOR=1.5` pictures other scales.
"""

# ruff: noqa: E402  (the platform and the path must be set before the imports)
from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from desktop.app import Desk, make_application
from desktop.common.errors import NetworkError
from desktop.common.settings import Settings
from desktop.fit.types import FitReport, Wish
from desktop.hardware.machine import Machine
from desktop.library.model import LibraryModel
from desktop.library.origin import Origin
from desktop.services.downloads import Downloads
from desktop.services.live import EngineShare, LiveReading
from desktop.services.models import ModelsService
from desktop.services.packs import Packs
from desktop.services.sources import Sources
from desktop.services.start import begin
from desktop.services.wiring import Services
from desktop.ui.instance import Instance
from desktop.ui.models.page import ModelsPage
from desktop.ui.packs.pack_dialog import PackDialog
from desktop.ui.packs.unpack_dialog import UnpackDialog
from desktop.ui.settings.page import SettingsPage
from tests.tiny_models import write_tiny_model
from tests.ui.browse.scenes import fill
from tests.ui.browse.source_stand_ins import ScriptedSources, model
from tests.ui.browse.stand_ins import ScriptedBrowser
from tests.ui.downloads.scenes import moments, troubles, under_way
from tests.ui.downloads.still_downloads import StillDownloads
from tests.ui.machine.scenes import GIB, busy
from tests.ui.packs.scenes import StillPacks, StillSources, foreign, view
from tests.ui.server_scenes import HERE, OFFICE, OPEN, STRANGE, opens_servers, write_servers
from tests.ui.stand_ins import GB, ScriptedEngine, ScriptedOpener, make_services, report

DAY_S = 86_400.0
BROWSE = ("ours", "browse", "repository", "card", "gated", "offline", "busy", "dns", "nothing")

PACKS = {"pack": view, "unpack": view, "foreign": foreign, "sources": view}
DOWNLOADS = {"downloads": under_way, "troubles": troubles, "moments": moments}

QUESTION = {
    "en": "Sum up the roof offer and work out the total with 19 % VAT.",
    "de": "Fasse das Angebot kurz zusammen und rechne mir die Summe mit 19 % Umsatzsteuer aus.",
}
ANSWER = {
    "en": """The offer has three items. The warranty is **five years**; work starts in week 18.

| Item | Net | Gross |
|---|---|---|
| Scaffolding | €2,400.00 | €2,856.00 |
| Insulation, 180 mm | €9,750.00 | €11,602.50 |
| Roofing | €14,300.00 | €17,017.00 |
| **Total** | **€26,450.00** | **€31,475.50** |

In a spreadsheet:

```excel
=SUM(B2:B4)*1.19
```
""",
    "de": """Das Angebot umfasst drei Posten. Die Gewährleistung beträgt **fünf Jahre**, Beginn ist
in Kalenderwoche 18.

| Posten | Netto | Brutto |
|---|---|---|
| Gerüst | 2.400,00 € | 2.856,00 € |
| Dämmung 180 mm | 9.750,00 € | 11.602,50 € |
| Eindeckung | 14.300,00 € | 17.017,00 € |
| **Summe** | **26.450,00 €** | **31.475,50 €** |

In der Tabelle:

```excel
=SUMME(B2:B4)*1,19
```
""",
}
TITLES = {
    "en": [
        ("Roof renovation offer", 0),
        ("Spreadsheet: sum by quarter", 0),
        ("Translate the lease", 0),
        ("Minutes of the team meeting", 1),
        ("Job advert, accounting", 4),
        ("Summary of standard 4108", 5),
        ("Welcome note for a colleague", 40),
    ],
    "de": [
        ("Angebot für Dachsanierung", 0),
        ("Excel-Formel Quartalssumme", 0),
        ("Übersetzung Mietvertrag", 0),
        ("Protokoll Teamrunde", 1),
        ("Stellenanzeige Buchhaltung", 4),
        ("Zusammenfassung Norm 4108", 5),
        ("Begrüßung neue Kollegin", 40),
    ],
}


Models = list[LibraryModel]


class DemoModels(ModelsService):
    """A few well-known models, so that the list has something to say."""

    def list(self) -> Models:
        now = time.time()
        hub = partial(Origin, "hub", is_verified=True)
        made = [
            replace(
                self._made("Qwen3 8B", "Q4_K_M", 5.03, 8.2, now),
                abilities=("tools", "reasoning"),
                origin=hub("Qwen/Qwen3-8B-GGUF"),
            ),
            replace(
                self._made("Gemma 3 4B", "Q4_K_M", 2.49, 3.9, now - 3 * DAY_S),
                abilities=("vision",),
                origin=hub("ggml-org/gemma-3-4b-it-GGUF"),
            ),
            replace(
                self._made("Mistral Small 3.2", "Q4_K_M", 14.3, 23.6, now - 60 * DAY_S),
                abilities=("vision", "tools"),
                origin=Origin("ollama", "mistral-small3.2:24b"),
            ),
            self._made("Llama 3.3 70B", "Q4_K_M", 42.5, 70.6, None),
            replace(self._made("Phi 4 mini", "Q8_0", 4.1, 3.8, None), problem="vanished"),
        ]
        return [*super().list()[:1], *made]

    def fit_of(self, model: LibraryModel, _machine: Machine, _wish: Wish) -> FitReport | None:
        fits = {
            "Qwen3 8B": report(speed=9.0),
            "Gemma 3 4B": report(speed=17.0),
            "Mistral Small 3.2": report(speed=2.1),
            "Llama 3.3 70B": report(verdict="too_large", speed=None, file_bytes=42 * GB),
        }
        return fits.get(model.name)

    def _made(
        self, name: str, quantization: str, gb: float, billions: float, used: float | None
    ) -> LibraryModel:
        path = Path("/home/me/Downloads") / f"{name}.gguf"
        return LibraryModel(
            name=name,
            path=path,
            file_bytes=int(gb * GB),
            architecture="llama",
            quantization=quantization,
            parameters=int(billions * 1e9),
            added_at=time.time(),
            last_used_at=used,
            source="import",
            mtime_ns=0,
        )


SERVERS = ("servers", "certificate", "chooser", "remote")


def fill_chats(services: Services, language: str, moment: list[float]) -> None:
    """Chats of today, of last week and older; the newest has an answer."""
    for title, days in sorted(TITLES[language], key=lambda entry: -entry[1]):
        moment[0] = time.time() - days * DAY_S
        services.store.create_chat(title=title, model="Qwen3 8B")
    moment[0] = time.time() + 1
    titles = {chat.title: chat for chat in services.store.list_chats()}
    first = titles[TITLES[language][0][0]]
    services.store.add_turn(first.id, "user", QUESTION[language])
    answer = services.store.add_turn(
        first.id, "assistant", ANSWER[language], state="streaming", model="Qwen3 8B"
    )
    services.store.finish_turn(
        answer.id,
        state="complete",
        prompt_tokens=4400,
        completion_tokens=216,
        tokens_per_s=9.0,
        seconds=24.0,
    )


def fill_readings(services: Services) -> None:
    """Five minutes of a laptop that has answered twice."""
    now = time.monotonic()
    for second in range(300):
        answering = 90 < second < 150 or second > 240
        speed = 9.0 + math.sin(second / 7) if answering else None
        sample = replace(busy(second), at=now - 300 + second, gpus=())
        memory = replace(sample.memory, total_bytes=16 * GIB, available_bytes=9 * GIB)
        reading = LiveReading(replace(sample, memory=memory), EngineShare(), speed, answering)
        services.live.keep(reading)


def settle(milliseconds: int = 400) -> None:
    """Let the window do what it has to do."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def shoot_servers(desk: Desk, services: Services, place: str) -> None:
    """The servers in the settings, one that nobody knows, the chooser, a chat with one."""
    house = desk.house
    if place in ("chooser", "remote"):
        house.model.choose("remote:Büro/org/model-3")
        settle()
        house.conversation.show(services.store.list_chats()[0].id)
        settle()
        if place == "chooser":
            desk.window.chats.pill.open_menu()
        return
    desk.window.show_place("settings")
    settle()
    page = desk.window.page("settings")
    assert isinstance(page, SettingsPage)
    if place == "certificate":
        house.remotes.certificate = STRANGE
        page.remotes.name.setText("Kanzlei")
        page.remotes.address.setText("https://10.0.0.5:8443")
        house.remotes.error = NetworkError("server_untrusted", host="10.0.0.5:8443")
        house.remotes.changed.emit()
    settle()
    page.ensureWidgetVisible(page.remotes)


def shoot(desk: Desk, services: Services, place: str) -> None:
    """Bring the window into the state to be pictured."""
    house = desk.house
    if place in SERVERS:
        shoot_servers(desk, services, place)
        settle()
        return
    if place in ("welcome", "first"):
        return
    if place == "chats":
        house.model.choose("Qwen3 8B")
        settle()
        house.conversation.remember_speed("Qwen3 8B", 9.0)
        house.conversation.show(services.store.list_chats()[0].id)
    elif place in BROWSE:
        shoot_browser(desk, services, place)
    elif place in PACKS:
        shoot_packs(desk, place)
    elif place in DOWNLOADS:
        desk.window.show_place("models")
        settle(3000)
        house.downloads.shown.emit()
        settle()
    else:
        desk.window.show_place("models" if place == "organisation" else place)
    settle(3000 if place == "models" else 400)  # the catalogue is gone through for them


def shoot_browser(desk: Desk, services: Services, scene: str) -> None:
    """The search, one of its states, or what it found."""
    house = desk.house
    fill(cast("ScriptedBrowser", services.browser), scene)
    desk.window.show_place("models")
    if scene in ("repository", "card", "gated"):
        house.browsing.open("ggml-org/gemma-3-12b-it-GGUF")
    else:
        house.browsing.search()
    settle(1500)
    if scene == "card":
        page = desk.window.page("models")
        assert isinstance(page, ModelsPage)
        page.repository.to_card.click()


def shoot_packs(desk: Desk, place: str) -> None:
    """A dialog of packs, or the sources in the settings."""
    house = desk.house
    if place == "sources":
        house.session.change(
            trusted_keys=("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3",)
        )
        desk.window.show_place("settings")
        settle()
        page = desk.window.page("settings")
        assert isinstance(page, SettingsPage)
        page.ensureWidgetVisible(page.sources)
        return
    desk.window.show_place("models")
    settle()
    if place == "pack":
        models = tuple(model for model in house.shelf.models if model.name == "Qwen3 8B")
        dialog = PackDialog(desk.look, house.session, house.shelf, models, desk.window)
        dialog.open()
        dialog.show_others()
    else:
        path = Path("/media/stick/kanzlei.hgpack")
        UnpackDialog(desk.look, house.session, house.shelf, path, desk.window).open()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--place", default="chats")
    parser.add_argument("--language", default="en", choices=("de", "en"))
    parser.add_argument("--theme", default="light", choices=("light", "dark"))
    parser.add_argument("--size", default="1180x780")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    width, height = (int(part) for part in options.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        env = {"HAUSGEIST_HOME": folder}
        start = begin(env)
        first = options.place == "first"
        settings = Settings(language=options.language, theme=options.theme, seen_welcome=not first)
        start.settings_store.save(settings)
        start = begin(env)
        app = make_application()
        opener = ScriptedOpener(lambda name: ScriptedEngine(name, 12800))
        guide = write_tiny_model(Path(folder) / "tiny.gguf")
        moment = [time.time()]
        services = make_services(
            env, guide, opener, language=options.language, clock=lambda: moment[0]
        )
        models = DemoModels(services.library, services.places.main)
        if not first:
            services = replace(services, models_service=models)
            if options.place in ("ours", "organisation"):
                ours = ScriptedSources(guide, (model("Office-8B"), model("Letters")))
                services = replace(services, sources=cast("Sources", ours))
            fill_chats(services, options.language, moment)
            fill_readings(services)
        if options.place in DOWNLOADS:
            queue = StillDownloads(*DOWNLOADS[options.place]())
            services = replace(services, downloads=cast("Downloads", queue))
        if options.place in PACKS:
            still = StillPacks(PACKS[options.place]())
            sources = cast("Sources", StillSources())
            services = replace(services, packs=cast("Packs", still), sources=sources)
        if options.place in SERVERS:
            write_servers(start.paths.data_dir, HERE, OPEN, OFFICE)
            opener_of_servers: Any = ScriptedOpener
            opener_of_servers.open = opens_servers()
        desk = Desk(app, start, env, Instance(start.paths.data_dir, env), lambda _env: services)
        desk.open([])
        desk.window.resize(width, height)
        settle(1200)
        shoot(desk, services, options.place)
        front = app.activePopupWidget() or app.activeModalWidget() or desk.window
        front.grab().save(str(options.out))
        desk.window.close()
        desk.close()
        QApplication.processEvents()
    return 0


if __name__ == "__main__":
    sys.exit(main())
