#!/usr/bin/env bash
# A Go package names its C library by `#cgo pkg-config:`. One would guess that a build asks pkg-config anew: the library was
# installed to another folder since, and PKG_CONFIG_PATH says so. It asks only where the package itself is compiled: flags
# for the linker come out of the build cache, and the program is linked with the folder of the first installation. If that is
# gone, the library is "not found" where pkg-config finds it; if it is there, an old library is linked without a word.
# Any other difference in the C flags (CGO_CFLAGS), or `go build -a`, asks anew.
source "$(dirname "$0")/common"
need go gcc ar pkg-config
export GOCACHE=$work/cache GOPATH=$work/go GOFLAGS='-modcacherw -buildvcs=false' GOWORK=off GOTOOLCHAIN=$go_version
export CGO_ENABLED=1 GOMODCACHE=$brought/go-mod

# install PREFIX NUMBER: a library whose function answers NUMBER.
install_library() {
  mkdir -p "$work/$1"
  echo "int number(void) { return $2; }" >"$work/$1/number.c"
  gcc -c "$work/$1/number.c" -o "$work/$1/number.o"
  rm -f "$work/$1/libnumber.a"
  ar rcs "$work/$1/libnumber.a" "$work/$1/number.o"
  printf 'Name: number\nDescription: a number\nVersion: %s\nLibs: -L%s -lnumber\n' "$2" "$work/$1" >"$work/$1/number.pc"
}

mkdir -p "$work/module/number"
cd "$work/module"
printf 'module finding\n\ngo 1.26\n' >go.mod
cat >number/number.go <<'END'
// Package number asks a C library.
package number

// #cgo pkg-config: number
// int number(void);
import "C"

// Of is its number.
func Of() int { return int(C.number()) }
END
cat >main.go <<'END'
package main

import (
	"fmt"

	"finding/number"
)

func main() { fmt.Println(number.Of()) }
END

# built PREFIX FLAGS...: what a program prints that is built with the library there, or why it is not.
built() {
  rm -f "$work/program"
  if PKG_CONFIG_PATH=$work/$1 go build "${@:2}" -o "$work/program" . >"$work/go.log" 2>&1; then
    "$work/program"
  else
    grep -o 'cannot find -lnumber' "$work/go.log" || tail -n 5 "$work/go.log"
  fi
}

install_library first 1
install_library second 2
echo "versions: $(go version)"
see "pkg-config finds the first" "$(built first)" 1
see "it finds the second" "$(built second)" 1
see "the same, and other C flags" "$(CGO_CFLAGS='-O2 -g -DOTHER' built second)" 2
rm -r "$work/first"
see "it finds the second, the first is gone" "$(built second)" "cannot find -lnumber"
see "the same, all compiled anew" "$(built second -a)" 2
