# bash completion for fondaco(1)
_fondaco() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} words=
  COMPREPLY=()
  case "$prev" in
  --config | --ca-file | --secret-file | --export)
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    compopt -o filenames 2>/dev/null
    return
    ;;
  --folder | --data)
    mapfile -t COMPREPLY < <(compgen -d -- "$cur")
    compopt -o filenames 2>/dev/null
    return
    ;;
  --name | --host | --store | --stores | --nats | --at | --client-id | --provider-store | --consumer-store | --every) return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="init doctor serve config migrate ctl journal replay backup verify restore demo version --help"
  else
    case "$verb" in
    init) words="--folder --data --name --host --store --help" ;;
    doctor) words="--config --json --help" ;;
    serve) words="--config --plan --help" ;;
    config) words="--example --help" ;;
    migrate) words="--config --dry-run --help" ;;
    ctl)
      words="ps tree routes dead-letters redrive show history why watch top"
      words="$words --at --client-id --secret-file --ca-file --json --all --export --every --once --help"
      ;;
    journal) words="verify --config --json --help" ;;
    replay | verify | backup | restore)
      words="--config --help"
      case "$verb" in replay | verify) words="--json --help" ;; esac
      if [[ $cur != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        compopt -o filenames 2>/dev/null
        return
      fi
      ;;
    demo)
      words="--folder --stores --nats --split --crash --closed --provider-store --consumer-store --keep --json --help"
      if [[ $cur != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        compopt -o filenames 2>/dev/null
        return
      fi
      ;;
    version) words="--json --help" ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _fondaco fondaco
