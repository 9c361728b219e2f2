"""A person's name as said: 王建国, 王先生, 老李, 姓林 (then the surname alone)."""

from __future__ import annotations

import re

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    "范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段漕钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛"
    "伍韦申尤毕聂丛焦向柳邢骆岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜路詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景"
    "薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫来嵺苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾郁"
    "商蒙计喻揭窦迟宇敖糜鄢冷卓花仇艾蓝都巩稽井练仲乐虞卞封竺冼原官衣楚佟栗匡宗应台巫鞠僧桑荆谌银扬明沙薄伏岑习胥保和蔺绍闫仝区鹿"
)
_DOUBLE = "欧阳|上官|司马|诸葛|端木|皇甫|尉迟|公孙|慕容|司徒|令狐|东方|夏侯"
_S = rf"(?:{_DOUBLE}|[{_SURNAMES}])"
_TITLE = (
    r"(?:先生|女士|小姐|太太|阿姨|大爷|大妈|大叔|大姐|大哥|奶奶|爷爷|叔叔?|婶|伯|师傅|师父|老师|工(?![人作具])|姐|哥(?!们)|总(?![是闸阀管共])|队|主任|经理|班长|"
    r"妈妈|爸爸|阿婆|生(?![气病活意锈])|太(?![阳热冷吵贵太]))"
)
_GIVEN = r"[一-鿿]{1,2}"
#: What may follow a full name; a name does not run on into other words.
_END = r"(?=$|[\s,。!;、:]|\d|电话|手机|住|,|号|帮|来|吧|的?电话|不是|绑|登)"

_NEXT = r"(?=$|[\s,。!;]|去|吧|跑|接|做|弄|处理|会|来|跟)"

_PATTERNS = (
    re.compile(rf"(?:免贵)?姓(?P<name>{_DOUBLE}|[一-鿿])(?!名)"),
    re.compile(
        rf"(?:名字(?:是|叫)|姓名(?:是|叫|改成|:)?|叫我|名叫)\s?(?P<name>{_S}{_GIVEN}?{_TITLE}?){_END}"
    ),
    re.compile(rf"(?:从{_S}{_GIVEN}改成)(?P<name>{_S}{_GIVEN}){_END}"),
    re.compile(
        rf"(?:我|她|他|名字|就)?(?:叫|写|找|联系人|业主|租客|户主|姓名|是)\s?(?P<name>(?:{_S}{_GIVEN}|[老小]{_S}){_TITLE}?){_END}"
    ),
    re.compile(
        rf"(?P<name>(?:{_S}|[小老阿])(?:{_TITLE}|{_GIVEN}{_TITLE}))(?![一-鿿]{{0,2}}(?:说|讲|家的|他们|昨|上次|来过|会))"
    ),
    re.compile(rf"^(?P<name>{_S}{_GIVEN})(?=$|[\s,])"),
    re.compile(rf"[\s,，](?P<name>{_S}{_GIVEN})(?=$|[\s,]|\s?1[3-9]\d{{9}})"),
    re.compile(rf"的(?P<name>老{_S}头?){_END}"),
    re.compile(rf"(?:\d|室|号|栋|楼|业主|住户|租客|户主)的?(?P<name>{_S}{_GIVEN})(?=$|[\s,。!])"),
    re.compile(rf"(?:给|让|转|叫|喊|派|畀|拨)(?P<name>[老小阿大]{_S}){_NEXT}"),
    re.compile(rf"(?:转给|派给|改派|转派:?|让)\s?(?P<name>{_S}[一-鿿]{{1,2}})(?=$|[\s,。!])"),
)
_NOT_NAMES = re.compile(
    r"^(?:高兴|卫生|安装|安排|关门|关灯|关于|来人|来了|来看|时候|时间|全部|马上|马桶|方便|方才|于是|应该|应急|任何|常常|明天|明早|强烈|花了|花园|车库|车位|"
    r"井盖|和谐|都是|都行|都要|金属|水表|水管|白天|白色|黄色|单元|单子|包括|成功|向上|高层|路灯|文件|房子|房间|房东|房客|田园|温度|石头|木头|"
    r"万一|毛病|毛巾|江边|陆续|康复|石子|管子|管道|边上|原来|台阶|计划|解决|连着|连续|保洁|保安|保修|官方|练习|谈谈|査|时好|严重|严实|齐活|"
    r"安全|平台|游泳|童车|冷气|冷水|冷风|商量|向来|池子|明晚|明儿|来电|关单|包干|常亮|谢谢|谢啦|小孩|小区|小心|小事|老人|老板|老公|老婆|老太|老家|阿姨|老是|小时|连不|项目|成天|严师傅傅)"
)


def find(plain: str) -> list[tuple[str, tuple[int, int]]]:
    """Names with their spans, in order; of overlapping finds the first kind of evidence wins."""
    found: list[tuple[str, tuple[int, int]]] = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(plain):
            span = match.span("name")
            if any(span[0] < end and start < span[1] for _, (start, end) in found):
                continue
            if not _NOT_NAMES.match(match["name"]):
                found.append((match["name"], span))
    return sorted(found, key=lambda pair: pair[1])


def write(name: str) -> str:
    return name


def read(value: str) -> str:
    return value
