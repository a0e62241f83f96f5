# bash completion for checkrelay; install as /usr/share/bash-completion/completions/checkrelay
# Names of hosts, one a line, that begin with PREFIX, from the GroundWork servers that the agent delivers to and finds
# well: PROGRAM PREFIX [OPTION]...
_checkrelay_ask_hosts() {
  local program=$1 prefix=$2 status names limit=${_checkrelay_seconds:-0.5}
  local pattern='"name":"([^"\\]+)","type":"groundwork","state":"ok"'
  shift 2
  status=$(timeout "$limit" "$program" status --json "$@" 2>/dev/null </dev/null)
  while [[ $status =~ $pattern ]]; do
    status=${status#*"${BASH_REMATCH[0]}"}
    names=$(timeout "$limit" "$program" upstream "${BASH_REMATCH[1]}" hosts complete "$prefix" "$@" 2>/dev/null </dev/null) || continue
    [[ $names == none ]] || printf '%s\n' "$names"
  done
}

# The same into the array `names`, from FILE where it is five minutes old at most: FILE PROGRAM PREFIX [OPTION]... What
# could not be asked is not asked again before that either; the names that were known stay.
_checkrelay_keep_hosts() {
  local file=$1 now time='' kept='' key fresh
  shift
  key="$* ${CHECKRELAY_SOCKET-} ${CHECKRELAY_CONFIG-}"
  key=${key//[$'\n\t']/ }
  printf -v now '%(%s)T' -1
  names=()
  [[ -r $file ]] && { IFS=$'\t' read -r time kept && mapfile -t names; } <"$file"
  [[ $kept == "$key" ]] || names=() time=''
  if [[ $time =~ ^[0-9]{1,12}$ ]] && ((now - time >= 0 && now - time < 300)); then return; fi
  mapfile -t fresh < <(_checkrelay_ask_hosts "$@")
  ((${#fresh[@]})) && names=("${fresh[@]}")
  (umask 077 && mkdir -p "${file%/*}" && printf '%s\n' "$now"$'\t'"$key" "${names[@]}" >"$file.$$" && mv -f "$file.$$" "$file") 2>/dev/null
}

# Completes CURRENT as a host: PROGRAM CURRENT [OPTION]... The names are others' words: quoted, never evaluated.
_checkrelay_hosts() {
  local program=$1 current=$2 name names cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
  shift 2
  [[ $cache == /* && $current != [\"\']* ]] || return
  _checkrelay_keep_hosts "$cache/checkrelay/hosts" "$program" '' "$@"
  # As many as are told at once: there may be more.
  if ((${#names[@]} >= 1000)) && [[ $current =~ ^[A-Za-z0-9._-]+$ ]]; then
    _checkrelay_keep_hosts "$cache/checkrelay/hosts.prefix" "$program" "$current" "$@"
  fi
  for name in "${names[@]}"; do
    printf -v name %q "$name"
    [[ ${name,,} == "${current,,}"* ]] && COMPREPLY+=("$name")
  done
}

_checkrelay() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' words='' agent=() wrapped='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    [[ $command == exec && ${COMP_WORDS[i]} == -- ]] && wrapped=$i && break
    case ${COMP_WORDS[i]} in
      -C | --socket | --config)
        ((i + 1 < COMP_CWORD)) && agent+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}")
        ((++i))
        ;;
      -*) ;;
      *)
        [[ $command ]] && continue
        command=${COMP_WORDS[i]}
        if [[ $command == queue || $command == freshness ]] && ((i + 1 < COMP_CWORD)); then
          command="$command ${COMP_WORDS[i + 1]}"
        fi
        ;;
    esac
  done
  if [[ $wrapped ]]; then  # somebody else's command line
    ((COMP_CWORD == wrapped + 1)) && words=c || words=f
    mapfile -t COMPREPLY < <(compgen -"$words" -- "$current")
    return
  fi
  # `--host=name` comes in three words.
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case $command:$previous in send:-H | send:--host | exec:-H | exec:--host) _checkrelay_hosts "${COMP_WORDS[0]}" "$current" "${agent[@]}"; return ;; esac
  case $previous in
    -C | --socket | --config | --spool | --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    -s | --state)
      words='OK WARNING CRITICAL UNKNOWN UP DOWN UNREACHABLE'
      [[ $command == queue* ]] && words='pending dead delivered'
      ;;
    *)
      case $command in
        '') words='run check send exec status queue freshness upstream doctor version --help' ;;
        queue) words='list show retry drop pause resume export import --help' ;;
        freshness) words='list show suggest forget --help' ;;
        'freshness list') words='--overdue --host --service --json --socket --config --help' ;;
        'freshness suggest') words='--host --service --json --socket --config --help' ;;
        'freshness show') words='--host --service --json --socket --config --help' ;;
        'freshness forget') words='--host --service --socket --config --help' ;;
        run) words='--config --help' ;;
        check) words='--config --defaults --help' ;;
        send)
          words='--host --service --state --output --perfdata --time --id --ttl --start --stdin --no-spool --spool --timeout
            --verbose --socket --config --help'
          ;;
        exec)
          words='--service --host --timeout --kill-after --warn-after --crit-after --map --lock --retry --retry-wait
            --ttl --spool --socket --config --help'
          ;;
        doctor) words='--json --config --help' ;;
        upstream) words='test hosts info reload outages --json --socket --config --help' ;;
        status | 'queue show') words='--json --socket --config --help' ;;
        'queue list')
          words='--state --destination --host --service --limit --after --json --socket --config --help'
          ;;
        'queue export')
          words='--destination --passphrase-file --release --socket --config --help'
          [[ $current != -* ]] && mapfile -t COMPREPLY < <(compgen -f -- "$current") && return
          ;;
        'queue import')
          words='--passphrase-file --socket --config --help'
          [[ $current != -* ]] && mapfile -t COMPREPLY < <(compgen -f -- "$current") && return
          ;;
        'queue pause' | 'queue resume') words='--socket --config --help' ;;
        'queue retry' | 'queue drop') words='--destination --socket --config --help' ;;
      esac
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _checkrelay checkrelay
