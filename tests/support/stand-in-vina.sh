#!/bin/sh
# Stands in for AutoDock Vina in tests of the worker: takes its options, and does what a remark in the ligand says.
[ "$1" = --version ] && echo 'AutoDock Vina v1.2.3' && exit 0

for option in "$@"; do
  case $option in
    --ligand=*) ligand=${option#*=} ;;
    --out=*) out=${option#*=} ;;
  esac
done
scene=$(sed -n 's/^REMARK SCENE //p' "$ligand")

stars() { printf '%*s' "$1" '' | tr ' ' '*'; }

hang() {
  sleep 600 &
  echo "$$ $!" > "$1/pids"
  : > "$1/reached"
  wait
  wait
}

poses() {
  printf 'MODEL 1\nREMARK VINA RESULT: %10s      0.000      0.000\n' "$1"
  printf 'REMARK INTER + INTRA:         -10.500\nREMARK INTER:                 -10.000\n'
  printf 'REMARK INTRA:                  -0.500\nREMARK UNBOUND:                -0.500\n'
  grep '^ATOM' "$ligand"
  printf 'ENDMDL\n'
}

echo 'Performing docking (random seed: 1) ...'
case $scene in
  crash) stars 7; echo 'PDBQT parsing error: no such atom' >&2; exit 1 ;;
  abort) echo 'a line without an end' >&2; kill -ABRT $$ ;;
  killed) kill -KILL $$ ;;
  memory) printf '\n\nError: insufficient memory!\n' >&2; exit 1 ;;
  nothing) stars 51 ;;
  empty) stars 51; : > "$out" ;;
  nan) stars 51; poses nan > "$out" ;;
  stubborn*) trap '' TERM; hang "${scene#stubborn }" ;;
  slow*) hang "${scene#slow }" ;;
  orphan*) folder=${scene#orphan }; sleep 600 & echo "$!" > "$folder/pids"; stars 51; poses -8.000 > "$out" ;;
  gated*) stars 17; folder=${scene#gated }; : > "$folder/reached"
    while [ ! -e "$folder/open" ]; do sleep 0.02; done
    stars 34; poses -8.000 > "$out" ;;
  torn) poses -8.000 | grep -v ^ATOM > "$out" ;;
  tell) env | cut -d= -f1; printf '%s\n' "$@" "carriage returns: $(tr -cd '\r' < "$ligand" | wc -c)"; poses -8.000 > "$out" ;;
  strange) printf 'an escape \033[31m, a \0 and half a character \303\n' >&2; exit 3 ;;
  *) stars 51; poses -8.000 > "$out" ;;
esac
echo
