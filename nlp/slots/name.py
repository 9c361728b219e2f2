"""A person's name as said: 王建国, 王先生, 小刘师傅, 老李, 姓林 (then the surname alone)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

Span = tuple[int, int]

_DOUBLE = "欧阳|上官|司马|诸葛|端木|皇甫|尉迟|公孙|慕容|司徒|令狐|东方|夏侯"
#: Surnames that are hardly another word's part, and those that mostly are.
_SAFE = (
    "王李张刘陈杨赵黄周吴徐孙胡朱林郭马罗梁宋郑谢韩唐冯董萧肖程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范石姚谭廖邹熊陆郝孔崔康邱秦江史顾侯"
    "邵孟龙段钱汤尹黎易武乔贺赖龚庞樊殷施陶洪翟颜倪严温芦季俞鲁葛伍韦毕聂焦柳邢骆岳齐梅莫庄辛祝涂谷祁耿牟卜詹苗凌费纪靳盛童欧甄项游裴席屈鲍覃霍翁隋甘景薄柏宁柯"
    "阮桂闵柴冉辜饶刁瞿戚丘滕晋邬臧苟褚廉娄奚穆燕邸谈姬屠郜晏栾郁喻窦迟敖糜鄢仇艾蓝巩虞卞竺楚佟栗匡应巫鞠桑荆谌岑蔺绍闫鹿何雷贝尤"
)
_RARE = (
    "于高方金白毛万常安牛章申丛向左路关成曲查单包司华房边吉古米池宫盖符木党郎连商蒙计冷卓井练仲乐封官衣宗台僧银扬明沙伏习胥仝区"
    "沿舒漕强冀畅洋兰阳文彦植揭稽"
)
_S = rf"(?:{_DOUBLE}|[{_SAFE}{_RARE}])"
SURNAMES = frozenset(_SAFE + _RARE)
_TITLE = (
    r"(?:先生|女士|小姐|太太|阿姨|大爷|大妈|大叔|大姐|大哥|大娘|奶奶|爷爷|叔叔?|伯伯?|婶|师傅|师父|师付|老师|大夫|医生|护士|警官|律师|教练|教授|书记|会计|"
    r"队长|班长|主任|经理|店长|妈妈?|爸爸?|阿婆|阿公|婆婆|姐(?!妹)|哥(?!们)|嫂|姨|工(?!人(?![很真挺不太好特超])|[作具期地程序钱资费种夫厂])|总(?![是闸阀管共的算之要会])|队(?=$|[\s,。!?;的跟去来])|"
    r"生(?=$|[\s,。!?;\d])|太(?=$|[\s,。!?;\d]|住))"
)
_TITLED = re.compile(rf"(?P<small>[小老])?(?P<surname>{_S})(?P<title>{_TITLE})")
_NICK = re.compile(
    rf"(?<![大从还不])[老小](?![马小]路|龙虾|周[一二三四五六日末])[{_SAFE}](?P<head>头(?!疼|痛|上|发))?|阿(?![姨婆公好伯妈爸仔囡拉嬷嬤弟妹哥姐叔婶奶爷女])[\u4e00-\u9fff]"
)
#: Not before a surname: the two make another word.
_BAD_LEFT = re.compile(
    r"(?:门卫|上周|下周|本周|这周|每周|隔周|一周|几周|两周|周围|保安|物管|石灰|安全|高温|低温|室温|体温|降温|关于|由于|电路|线路|水管|"
    r"个钟|点钟|分钟|成都|首都|都江|水江|过江|滨江|黑龙|水龙|沙龙|旅游|导游|下游|历史|主席|出席|酒席|做席|办席|水费|电费|收费|缴费|免费|责任|信任|主任|儿童|"
    r"手艺|房东|花园|农田|柠檬|一段|阶段|地段|时段|价钱|要钱|块钱|花钱|给钱|省钱|多钱|零钱|现钱|力齐|整齐|整个|这位|那位|哪位|各位|单位|车位|座位|"
    r"施(?=工)|特别严|不严|平台)$"
)
_FULL = re.compile(
    rf"(?:^|(?<=[\s,。!?;:、(的叫是名字我人主户客爸妈父母妇公婆人生子儿女弟妹哥姐姨舅叔姑伯学友蜜事戚东机工生夫傅姓写找给让把接约成客栋楼幢号室元\d]))"
    rf"(?:(?:{_DOUBLE})[\u4e00-\u9fff]{{1,2}}|[{_SAFE}{_RARE}][\u4e00-\u9fff]{{1,2}})"
)
#: Characters that hardly stand in a given name.
_NOT_GIVEN = frozenset(
    "的了是在有来去要到看住这那我你他她它们您不没也都就还和与跟同给让把被从向上下里外吗呢吧啊呀嘛哦呗啦么什怎谁哪几个只件条张台位号楼栋层室房门窗灯"
    "水电气管坏漏堵修换装拆洗送拿取帮请叫找打说讲问用想能会可再又才很太好坏新旧多少早晚午点分时日周月年今昨后前两二三四五六七八九十"
)
#: What may follow a full name.
_AFTER = re.compile(
    r"$|[\s,。!?;:、)(\d]|电话|手机|的|住|来|去|要|到|看|送|今|明[天早晚]|后天|周[一二三四五六日末]|下午|上午|晚上|早上|不是|不来|取消|发烧|生病|带|开车|过来|"
    r"两[位个]|[一三四]个?人|帮|请|麻烦|绑|登|租|这周|下周|上门|放行|进|接|处理|吧|去|是|在|和|已经|说"
)
_CUE = re.compile(
    r"(?:我叫|叫我|名叫|名字[叫是写:]?|姓名[叫是写改成:]*|我是|[她他]叫|一个叫|[\s,]叫|联系人|名字改成|改成|登记成?|就?写|"
    r"业主|租客|住户|户主|房东|房客|访客|方客|仿客|客人|司机|"
    r"(?:我|俺|咱|她|他)?(?:爸|妈|爸爸|妈妈|父亲|母亲|媳妇|老婆|老公|爱人|太太|先生|儿子|女儿|闺女|姑娘|儿媳|女婿|侄子|外甥|"
    r"[大二三四小表堂]?(?:姨|舅|叔|姑|伯|哥|姐|弟|妹)|同学|朋友|闺蜜|同事|亲戚|保姆|阿姨|工人|钟点工|月嫂|保洁|教练|家教|医生|大夫)(?:的?名字)?)[:\s是叫]{0,2}$"
)
_RELEASE = re.compile(r"(?:给|让|把|接|约)$")
_RELEASED = re.compile(r"(?:的?(?:访客|放行|通行|预约|登记|进|车)|进来|进门|上楼|上来)")
#: An address or the like before a name: 2栋郑洁, 10号楼701业主马超.
_AT_HOME = re.compile(r"(?:我是|俺是|阿拉是)[^,。!?;]{0,10}$|(?:[栋楼幢室元]|\d)的?$")
_SURNAME = re.compile(rf"(?<![百同老])姓(?P<name>{_DOUBLE}|[\u4e00-\u9fff])(?![名氏])")
#: A name by what is said before it alone: a child called 豆豆, a maid 小翠.
_CALLED = re.compile(
    r"名字?叫(?P<name>[\u4e00-\u9fff]{2,3})(?=$|[\s,。!?;])"
    r"|(?:钟点工|保姆|阿姨|月嫂|保洁|司机|闺蜜|同学)(?P<small>小[\u4e00-\u9fff])(?=$|[\s,。!?;]|周|今|明|后|上午|下午|晚上)"
)
_NO_SURNAME = frozenset("名氏啥什甚谁哪的是不")
_EDGE_LEFT = re.compile(r"(?:^|[\s,。!?;:、(@])$")
_EDGE_RIGHT = re.compile(r"$|[\s,。!?;:、)\d]|电话|手机|帮|收|住")
_CONTACT = re.compile(r"(?:找|联系|联系人|叫我|写|跟)$")
_NOT_NAMES = re.compile(
    r"(?:高兴|卫生|安装|安排|关门|关灯|关于|时候|时间|全部|全体|马上|马桶|马路|方便|方才|方案|于是|应该|应急|任何|任务|常常|常年|明天|明早|明晚|明儿|强烈|花园|花了|车库|车位|车主|"
    r"井盖|和谐|都是|都行|都要|金属|金额|水表|水管|水费|水电|水位|白天|白色|白班|黄色|单元|单子|单身|包括|包间|成功|成年|向上|高层|高空|高温|路灯|路口|路上|文件|文明|房子|房间|房东|房客|房产|房本|"
    r"田园|温度|温馨|石头|木头|木门|万一|毛病|毛巾|江边|陆续|康复|石子|管子|管道|管理|管家|边上|原来|原价|台阶|台球|计划|解决|连着|连续|连接|保洁|保安|保修|保姆|官方|练习|谈谈|严重|严实|"
    r"安全|平台|游泳|童车|冷气|冷水|冷风|商量|商铺|向来|池子|来电|关单|包干|谢谢|谢啦|谢了|项目|成天|黑白|周[一二三四五六日末期边围年到]|米色|米黄|石材|花盆|花草|花坛|司机|华为|"
    r"童装|费用|费心|席位|盛大|应付|施工|宁可|习惯|古镇|乐器|银行|沙发|沙坑|查询|查看|查下|左右|左边|左侧|时段|时长|连廊|封闭|封窗|洪水|江景|贝壳|龙头|龙虾|武术|汤圆|钱包|钱款|钟点|钟头|"
    r"易拉|温水|梅雨|苗木|雷雨|雷电|谷雨|夏天|夏季|秋季|景观|景区|宁静|纪念|纪律|项链|应聘|应当|田径|余额|余下|何时|何况|何必|许多|许可|尤其|白车|曾经|程序|莫名|戴着|齐全|段落|燕窝|蓝色|蓝牙|郁闷|"
    r"申请|申报|丛林|区域|常亮|牛奶|牛肉|安静|安心|安逸|金毛|方向|万能|章程|贺岁|谈好|马赛|柏油|桂花|柳树|林荫|梅花|乔迁|温泉|孔明|甘蔗|艾草|艾灸|池塘|花卉|乐园|成员|明年|全家|全小|路边|向阳|阳台)"
)


class Said(NamedTuple):
    """A name in a text. `told`: said to be a person's name; `alone`: between marks; else met in passing."""

    value: str
    span: Span
    told: bool
    alone: bool
    full: bool


def said(plain: str) -> list[Said]:
    """Every name in a normalised text, in order; of overlapping ones the first kind wins."""
    found: list[Said] = []
    taken = bytearray(len(plain) + 1)
    for one in (*_surnames(plain), *_titled(plain), *_full(plain), *_nicks(plain)):
        start, end = one.span
        if taken.find(b"x", start, end) < 0:
            taken[start:end] = b"x" * (end - start)
            found.append(one)
    found.sort(key=lambda one: one.span)
    return found


def _surnames(plain: str) -> Iterator[Said]:
    if "姓" in plain:
        for match in _SURNAME.finditer(plain):
            asked = (
                plain[match.start() - 1 : match.start()] == "贵" and plain[max(0, match.start() - 2)] != "免"
            )
            if match["name"] not in _NO_SURNAME and not asked:
                yield Said(match["name"], match.span("name"), True, False, False)


def _make(plain: str, span: Span, full: bool = False) -> Said:
    start, end = span
    left = plain[max(0, start - 16) : start]
    edge = bool(_EDGE_LEFT.search(left))
    ends = bool(_EDGE_RIGHT.match(plain, end))
    told = bool(_CUE.search(left)) or (
        bool(_AT_HOME.search(left)) and (ends or "我是" in left or left[-1:] == "的")
    )
    told = told or (ends and bool(_CONTACT.search(left)))
    return Said(plain[start:end], span, told, edge and ends, full)


def _titled(plain: str) -> Iterator[Said]:
    for match in _TITLED.finditer(plain):
        surname, start = match["surname"], match.start("surname")
        if _BAD_LEFT.search(plain, max(0, start - 3), start + 1) or (
            surname in _RARE and not match["small"] and not _after_mark(plain, start)
        ):
            continue
        if len(match["title"]) == 1 and not match["small"] and plain[start - 1 : start + 1] in _HALVES:
            continue
        if match[0] not in {"施工", "任总", "文工", "白班", "石工", "水工", "花工", "应会"}:
            yield _make(plain, match.span())


_HALVES = frozenset({"电工", "水工", "木工", "瓦工", "员工", "先生"})


def _after_mark(plain: str, start: int) -> bool:
    return not start or plain[start - 1] in " ,。!?;:、的是叫找给让跟谢把(\n" or plain[start - 1].isdigit()


def _nicks(plain: str) -> Iterator[Said]:
    for match in _CALLED.finditer(plain):
        kind = str(match.lastgroup)
        yield Said(match[kind], match.span(kind), True, False, True)
    for match in _NICK.finditer(plain):
        yield _make(plain, match.span())


def _full(plain: str) -> Iterator[Said]:
    for match in _FULL.finditer(plain):
        start, end = match.span()
        if _NOT_NAMES.match(plain, start):
            continue
        for stop in (end, end - 1) if end - start > 2 else (end,):
            given = plain[start + 1 : stop]
            if set(given) & _NOT_GIVEN or not _AFTER.match(plain, stop):
                continue
            one = _make(plain, (start, stop), full=True)
            released = _RELEASE.search(plain, max(0, start - 1), start) and _RELEASED.match(plain, stop)
            if one.told or one.alone or released or not start:
                yield one._replace(told=one.told or bool(released))
            break


def find(plain: str) -> list[tuple[str, Span]]:
    """Names with their spans, in order."""
    return [(one.value, one.span) for one in said(plain)]


def choose(
    found: Sequence[Said], *, own: bool = False, praised: bool = False, phone: bool = False
) -> Said | None:
    """Whose name is meant. `own`: the intent is about a person, who may be named in passing; `praised`:
    somebody who served us, by title or nickname; else only who is told or alone with a telephone."""
    if praised:
        kept = [one for one in found if not one.full or one.told]
    elif own:
        kept = list(found)
    else:
        kept = [one for one in found if one.told or (one.alone and (phone or not one.full))]
    if not kept:
        return None
    return max(
        kept,
        key=lambda one: (
            one.told and one.full,
            one.told and len(one.value) > 1,
            one.alone,
            one.told,
            len(one.value) > 1,
            -one.span[0],
        ),
    )


def write(name: str) -> str:
    return name


def read(value: str) -> str:
    return value
