# Kills, for `snapshotter`: the daemon and containerd end, mostly by SIGKILL, at moments that nobody chose, while images are
# pulled and removed and containers run.

# noticed, timed: nothing; for who counts what is under way before a kill, or gives the chosen action other `moments`.
noticed() { :; }
timed() { :; }

# kill_one: the daemon, containerd, or both. One time in four they are asked to end, as when they are restarted.
kill_one() {
  noticed
  local which=$((RANDOM % 3)) signal=KILL
  ((RANDOM % 4 != 0)) || signal=TERM
  ((which == 1)) || end_daemon $signal
  if ((which != 0)); then
    kill -s $signal "$containerd_pid"
    wait "$containerd_pid" 2>/dev/null || true
    forget "$containerd_pid"
  fi
  ((which == 1)) || start_daemon
  ((which == 0)) || start_containerd
}

# choose: an action, and prepares for it; `moments` is how many hundredths of a second it may take.
choose() {
  action=$((RANDOM % 4)) moments=30
  case $action in
    0 | 1) grep -qx "$(named many)" <<<"$(ctr image ls -q)" && retried ctr image rm --sync "$(named many)" && moments=120 ;;
    3) retried pull "$(named shares)" && moments=12 ;;
  esac
  : >"$home/done"
  timed
}

# act: pulls an image, runs a container, or removes an image. What is reported done is noted.
act() {
  case $action in
    0 | 1) pull "$(named many)" && echo pull >"$home/done" ;;
    2) ctr run -d --snapshotter tarfs "$image" "r$round-$$" /bin/sh -c 'sleep 1000' >/dev/null 2>&1 && echo run >"$home/done" ;;
    3) ctr image rm --sync "$(named shares)" >/dev/null 2>&1 && echo remove >"$home/done" ;;
  esac
}

# retried COMMAND: containerd waits some time before it calls a daemon again that was not there.
retried() {
  local try
  for try in {1..30}; do
    ! "$@" >"$home/retried.log" 2>&1 || return 0
    sleep 0.5
  done
  fail "$name: kill $round: $*: $(tail -n 3 "$home/retried.log" "$home/daemon.log")"
}

# unhurt: the container that was there before all kills goes on, and sees what it saw.
unhurt() {
  kill -0 "$container_pid" || fail "$name: kill $round: a container has ended"
  "$here/show.py" "/proc/$container_pid/root" | diff "$home/before" - >"$home/diff" || fail "$name: kill $round: a container sees: $(head -n 5 "$home/diff")"
}

# not_lost: what was reported done is there.
not_lost() {
  case $(cat "$home/done") in
    pull)
      # It calls an image pulled also if the daemon went before all layers were there.
      [[ $version != v2.3.* ]] || retried pull "$(named many)"
      retried expect_many
      ;;
    run) [[ $(ctr task ls | awk -v name="r$round-$$" '$1 == name {print $3}') == RUNNING ]] || fail "$name: kill $round: a container is not there" ;;
    remove) ! grep -qx "$(named shares)" <<<"$(ctr image ls -q)" || fail "$name: kill $round: an image is there again" ;;
  esac
}

# expect_many: the image of 120 layers runs, and shows a file of its uppermost layer.
expect_many() {
  [[ $(in_container tarfs "$(named many)" "" 'cat /more/own118') == "changed by 119" ]]
}

kills() {
  local round action moments started=$SECONDS acting at finished=0 cut=0
  pulled "$image"
  start_container stays "$image" 'sleep 10000'
  "$here/show.py" "/proc/$container_pid/root" >"$home/before"
  for ((round = 1; ${TARFS_KILLS:-0} ? round <= ${TARFS_KILLS:-0} : SECONDS - started < ${TARFS_KILL_SECONDS:-60}; round++)); do
    choose
    act &
    acting=$!
    at=$((RANDOM % moments))
    sleep "$((at / 100)).$(printf %02d $((at % 100)))"
    ! kill -0 "$acting" 2>/dev/null || cut=$((cut + 1))
    kill_one
    wait "$acting" || true
    unhurt
    not_lost
    [[ ! -s $home/done ]] || finished=$((finished + 1))
  done
  retried pull "$(named many)"
  retried expect_many
  gone_after_kills
  echo "$name: $((round - 1)) kills of daemon and containerd, $cut of them while something was done, $finished times it was done: a container goes on, nothing is lost, nothing is left"
}

# gone_after_kills: containers go, and so do images, and the leases of clients that ended without a word.
gone_after_kills() {
  local one
  for one in $(ctr task ls -q); do
    retried ctr task rm -f "$one"
  done
  for one in $(ctr container ls -q); do
    retried ctr container rm "$one"
  done
  for one in $(ctr leases ls -q); do
    retried ctr leases rm "$one"
  done
  retried remove_images
  # A container that was not made leaves a snapshot without one, which its client would have removed.
  for one in $(ctr snapshot --snapshotter tarfs ls | awk '$NF == "Active" {print $1}'); do
    retried ctr snapshot --snapshotter tarfs rm "$one"
  done
  retried ctr content prune references
  nothing_left
}
