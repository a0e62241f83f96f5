# bash completion for checkrelay; install as /usr/share/bash-completion/completions/checkrelay
_checkrelay() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' words='' i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      -C | --socket | --config) ((++i)) ;;
      -*) ;;
      *)
        command=${COMP_WORDS[i]}
        if [[ $command == queue ]] && ((i + 1 < COMP_CWORD)); then command="queue ${COMP_WORDS[i + 1]}"; fi
        break
        ;;
    esac
  done
  case $previous in
    -C | --socket | --config | --spool | --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    -s | --state)
      words='OK WARNING CRITICAL UNKNOWN UP DOWN UNREACHABLE'
      [[ $command == queue* ]] && words='pending dead delivered'
      ;;
    *)
      case $command in
        '') words='run check send status queue upstream doctor version --help' ;;
        queue) words='list show retry drop pause resume export import --help' ;;
        run) words='--config --help' ;;
        check) words='--config --defaults --help' ;;
        send)
          words='--host --service --state --output --perfdata --time --id --ttl --stdin --no-spool --spool --timeout
            --verbose --socket --config --help'
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
