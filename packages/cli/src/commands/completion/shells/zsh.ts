import { type CommandWord, firstWords, type Place, quoted, subjectsOf, valuedOptions } from "../words.js";

/** The completion of zsh. */
export function zshScript(commands: readonly CommandWord[]): string {
  const described = firstWords(commands).map(({ name, summary }) => `    ${item(name, summary)}`);
  return `#compdef ojm
# The completion of ojm for zsh. In ~/.zshrc, behind compinit: source <(ojm completion zsh)
_ojm() {
  local -a where commands options
  local command=\${words[2]} option=\${words[CURRENT-1]} i
  commands=(
${described.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    return
  fi
  if (( CURRENT > 3 )) && [[ $command == (${subjectsOf(commands).join("|")}) ]]; then command+=" \${words[3]}"; fi
  for (( i = 3; i < CURRENT; i++ )); do
    case \${words[i]} in
      # What stands behind the two dashes is a command of its own.
      --) shift $i words; (( CURRENT -= i )); _normal; return ;;
      --store|--profile) (( i + 1 < CURRENT )) && where+=(\${words[i]} "\${(Q)words[i+1]}") ;;
      --store=*|--profile=*) where+=("\${(Q)words[i]}") ;;
    esac
  done
  if [[ $PREFIX == --*=* ]]; then
    option=\${PREFIX%%=*}
    compset -P '*='
  fi
  case $option in
${[...valuedOptions(commands)].map(([option, place]) => `    ${option}) ${complete(place)}; return ;;`).join("\n")}
  esac
  case $command in
${commands.map(commandCase).join("\n")}
  esac
}

# What the store knows: NAME, RUN or QUEUE.
_ojm_stored() {
  local -a found
  found=(\${(f)"$(_call_program stored \${(q)words[1]} __complete $1 \${(q)where} -- \${(q)\${(Q)PREFIX}} 2>/dev/null)"})
  compadd -- $found
}

if [[ $funcstack[1] == _ojm ]]; then _ojm "$@"; else compdef _ojm ojm; fi
`;
}

function commandCase({ name, operand, options }: CommandWord): string {
  const items = options.map((option) => item(`--${option.name}`, option.text)).join(" ");
  return `    "${name}") if [[ $PREFIX == -* ]]; then options=(${items}); _describe -t options option options; else ${complete(operand)}; fi ;;`;
}

/** A word with its description, in the format of \`_describe\`. */
function item(word: string, text: string): string {
  return quoted(`${word}:${text.replaceAll("\\", "\\\\").replaceAll(":", "\\:")}`);
}

function complete(place: Place): string {
  if (place === "nothing") return ":";
  if (place === "file") return "_files";
  return typeof place === "string" ? `_ojm_stored ${place}` : `compadd -- ${place.join(" ")}`;
}
