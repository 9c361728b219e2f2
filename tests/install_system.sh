#!/usr/bin/env bash
# What the tests need from the system: a browser, its driver, and a font that has Chinese letters.
# Does nothing when they are there; installs them on Debian as root; says what is missing elsewhere.
set -euo pipefail

missing() {
    command -v chromium >/dev/null || echo chromium
    command -v chromedriver >/dev/null || echo chromium-driver
    command -v fc-list >/dev/null || echo fontconfig
    [ -n "$(fc-list ':lang=zh-cn' family 2>/dev/null)" ] || echo fonts-noto-cjk
}

packages="$(missing | tr '\n' ' ')"
[ -n "$packages" ] || exit 0

give_up() {
    echo "测试还缺：${packages}。$1" >&2
    exit 1
}

if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    give_up "请先装好，在 Debian 上是：sudo apt-get install ${packages}"
fi
echo "安装测试要用的：${packages}"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # several names
{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages; } </dev/null >/dev/null ||
    give_up "apt-get 没装成，请看上面的原因，自己装好再来。"

packages="$(missing | tr '\n' ' ')"
[ -z "$packages" ] || give_up "装过了还是找不到。"
