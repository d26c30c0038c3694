"""`wushe`: the one command. What each part does stands in `wushe.commands`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from shared.http.words import words_for
from shared.run.settings import Settings
from wushe.commands.letters import letters
from wushe.commands.reaching import Data, Login, PasswordFile, Url
from wushe.language import say
from wushe.sample.staff import ADMINISTRATOR
from wushe.terminal import give_up

app = typer.Typer(
    name="wushe",
    help=say(
        "五社联动：一份需求同时找到人和物，名额与物资都不会重复许诺。",
        "Five-community linkage: one need finds people and goods at once, and nothing is promised twice.",
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(letters, name="dead-letters")


@app.command(
    help=say("启动整个系统（首次启动载入样例小镇）", "Start everything (with a sample town on first start)")
)
def run(
    port: Annotated[int | None, typer.Option(help=say("端口", "the port"))] = None,
    host: Annotated[str | None, typer.Option(help=say("监听地址", "the address to listen on"))] = None,
    data: Data = None,
    sample: Annotated[bool | None, typer.Option(help=say("是否载入样例", "load the sample town"))] = None,
) -> None:
    from wushe.commands.run import serve_here

    given = {"port": port, "host": host, "data": data, "sample": sample}
    serve_here(_settings({name: value for name, value in given.items() if value is not None}))


@app.command(
    help=say(
        "在 Kafka 与 MongoDB 上启动一个服务（用 WUSHE_* 环境变量设置）",
        "Serve one service on Kafka and MongoDB, by the WUSHE_* settings",
    )
)
def serve(
    service: Annotated[str, typer.Argument(help="directory | needs | volunteers | resources | matching")],
    port: Annotated[int | None, typer.Option(help=say("端口", "the port"))] = None,
) -> None:
    from wushe.commands.serve import serve_service

    serve_service(service, _settings({} if port is None else {"port": port}))


@app.command(
    help=say("各服务实例前面的统一入口", "One address before the instances of all services, taking turns")
)
def edge(
    instances: Annotated[list[str], typer.Argument(help="SERVICE=http://HOST:PORT …")],
    port: Annotated[int | None, typer.Option(help=say("端口", "the port"))] = None,
) -> None:
    from wushe.commands.edge import serve_edge

    serve_edge(instances, _settings({} if port is None else {"port": port}))


@app.command(
    help=say("在终端里讲完整个故事（不到一分钟）", "Tell the whole story in the terminal, in under a minute")
)
def demo(
    url: Url = None,
    data: Annotated[
        Path | None,
        typer.Option(help=say("小镇的数据目录（默认用完即弃）", "where the town is kept (default: nowhere)")),
    ] = None,
) -> None:
    from wushe.commands.demo import tell

    raise typer.Exit(tell(url, data))


@app.command(help=say("造一座大城市用于压力测试（人物均为虚构）", "Make a large invented city, for load"))
def sample(
    people: Annotated[int, typer.Option(min=0, help=say("志愿者人数", "how many volunteers"))] = 1000,
    lots: Annotated[int, typer.Option(min=0, help=say("捐赠批次数", "how many lots of goods"))] = 200,
    needs: Annotated[int, typer.Option(min=0, help=say("需求数", "how many needs"))] = 100,
    seed: Annotated[
        int,
        typer.Option(
            help=say(
                "随机种子：相同则城市相同，一小时内重复不新增",
                "the same seed makes the same city; again within the hour, nothing new",
            )
        ),
    ] = 1,
    town: Annotated[
        bool,
        typer.Option("--town", help=say("只装样例小镇", "only the sample town of `wushe run`, with --url")),
    ] = False,
    data: Data = None,
    url: Url = None,
    login: Login = ADMINISTRATOR,
    password_file: PasswordFile = None,
) -> None:
    from wushe.commands.sample import load_town, make_city

    if town:
        load_town(url, _settings({} if data is None else {"data": data}))
        raise typer.Exit
    raise typer.Exit(make_city(people, lots, needs, seed, url, data, login, password_file))


@app.command(
    help=say(
        "批量导入 JSON 行文件：volunteers、lots、needs",
        "Load a file of JSON lines: volunteers, lots or needs",
    )
)
def load(
    kind: Annotated[str, typer.Argument(help="volunteers | lots | needs")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    data: Data = None,
    url: Url = None,
    login: Login = ADMINISTRATOR,
    password_file: PasswordFile = None,
) -> None:
    from wushe.commands.load import KINDS, load_file

    if kind not in KINDS:
        give_up(say("只能导入 {kinds}", "only {kinds} can be loaded", kinds=", ".join(KINDS)))
    raise typer.Exit(load_file(kind, file, url, data, login, password_file))


@app.command(
    help=say("重新核算每一条规则并报告违例", "Recount every rule from the records and report violations")
)
def check(
    context: typer.Context,
    data: Data = None,
    kafka: Annotated[
        str | None, typer.Option(help=say("集群：Kafka 地址", "of a cluster: its Kafka"))
    ] = None,
    mongo: Annotated[str | None, typer.Option(help=say("集群：MongoDB 地址", "and its MongoDB"))] = None,
) -> None:
    from wushe.commands.check import recount_here, recount_there

    source = context.get_parameter_source("data")
    named = source is not None and source.name == "COMMANDLINE"  # in a container WUSHE_DATA is always set
    if named and (kafka or mongo):
        give_up(
            say("--data 与 --kafka、--mongo 只能选一种", "give --data, or --kafka and --mongo, but not both")
        )
    if named:
        raise typer.Exit(recount_here(data))
    settings = _settings({k: v for k, v in {"kafka": kafka, "mongo": mongo}.items() if v is not None})
    if {"kafka", "mongo", "mongo_file"} & settings.model_fields_set:
        raise typer.Exit(recount_there(settings))
    raise typer.Exit(recount_here(data))


@app.command(
    help=say("写出 AsyncAPI 与事件结构", "Write the AsyncAPI document and the schemas of all events")
)
def contracts(
    check: Annotated[
        bool, typer.Option("--check", help=say("只核对是否有出入", "only tell whether they differ"))
    ] = False,
) -> None:
    from wushe.commands.contracts import check_contracts, write_contracts

    raise typer.Exit(check_contracts() if check else write_contracts())


@app.command(
    help=say(
        "把单机上的整个社工站搬到 MongoDB 与 Kafka（可重复执行，来源不变）",
        "Copy a stopped station from its data directory to MongoDB and Kafka; may be repeated, leaves the source alone",
    )
)
def copy(
    source: Annotated[Path, typer.Option("--from", help=say("来源数据目录", "the data directory to copy"))],
    to: Annotated[
        str | None,
        typer.Option(
            help=say(
                "MongoDB 地址（或用 WUSHE_MONGO_FILE）", "the MongoDB; WUSHE_MONGO_FILE hides a password"
            )
        ),
    ] = None,
    kafka: Annotated[str | None, typer.Option(help=say("Kafka 地址", "the Kafka brokers"))] = None,
) -> None:
    from wushe.commands.copy import copy

    given = {} if to is None else {"mongo": to, "mongo_file": None}
    settings = _settings(given if kafka is None else {**given, "kafka": kafka})
    if not {"mongo", "mongo_file"} & settings.model_fields_set:
        give_up(say("请用 --to 指明目标 MongoDB", "say with --to which MongoDB to copy to"))
    raise typer.Exit(copy(source, settings))


@app.command(
    help=say("备份单机数据（可在运行时进行）", "Back a data directory up into one file, also while it runs")
)
def backup(
    to: Annotated[Path, typer.Option(help=say("备份文件（须尚不存在）", "a new file"))], data: Data = None
) -> None:
    from wushe.commands.backup import make_backup

    make_backup(data or Path("data"), to)


@app.command(
    help=say("从备份恢复到一个空的数据目录", "Restore a backup into a data directory without a database")
)
def restore(
    backup: Annotated[
        Path, typer.Option("--from", exists=True, dir_okay=False, help=say("备份文件", "the backup"))
    ],
    data: Data = None,
) -> None:
    from wushe.commands.backup import restore_backup

    restore_backup(backup, data or Path("data"))


def _settings(given: dict[str, Any]) -> Settings:
    try:
        return Settings(**given)
    except ValidationError as e:
        give_up(
            "\n".join(_flaw(str(f["loc"][0]), *words_for(f["type"], f.get("ctx", {}))) for f in e.errors())
        )


def _flaw(name: str, wrong_zh: str, wrong_en: str) -> str:
    return say(
        "设置 WUSHE_{name}：{wrong_zh}",
        "the setting WUSHE_{name} {wrong_en}",
        name=name.upper(),
        wrong_zh=wrong_zh,
        wrong_en=wrong_en,
    )
