import { type CommandWord, firstWords, type Place, subjectsOf, valuedOptions } from "../words.js";

/** The completion of bash, from version 3.2 on. It needs no package for completion. */
export function bashScript(commands: readonly CommandWord[]): string {
  const valued = valuedOptions(commands);
  return `# The completion of ojm for bash. In ~/.bashrc: source <(ojm completion bash)
_ojm() {
  local line="\${COMP_LINE:0:COMP_POINT}" cur="\${COMP_WORDS[COMP_CWORD]}" i=$COMP_CWORD command="" option where=() word
  # Bash splits words at some characters that ids of runs have: put the word together again.
  while ((i > 1)) && [[ $line == *"\${COMP_WORDS[i - 1]}$cur" ]]; do
    i=$((i - 1))
    cur="\${COMP_WORDS[i]}$cur"
  done
  local whole=$cur
  COMPREPLY=()
  if ((i > 1)); then
    command=\${COMP_WORDS[1]}
    if ((i > 2)) && [[ " ${subjectsOf(commands).join(" ")} " == *" $command "* ]]; then command+=" \${COMP_WORDS[2]}"; fi
    for word in "\${COMP_WORDS[@]:2:i-2}"; do
      # What stands behind the two dashes is a command of its own.
      if [[ $word == -- ]]; then _ojm_files; return; fi
    done
  fi
  option=\${COMP_WORDS[i - 1]}
  if [[ $cur == --*=* ]]; then
    option=\${cur%%=*}
    cur=\${cur#*=}
  fi
  if [[ $line =~ [[:space:]]--store[=[:space:]]+([^[:space:]]+)[[:space:]] ]]; then where+=(--store "\${BASH_REMATCH[1]}"); fi
  if [[ $line =~ [[:space:]]--profile[=[:space:]]+([^[:space:]]+)[[:space:]] ]]; then where+=(--profile "\${BASH_REMATCH[1]}"); fi
  case $option in
${[...valued].map(([option, place]) => `    ${option}) ${complete(place)}; return ;;`).join("\n")}
  esac
  case $command in
    "") _ojm_words ${firstWords(commands)
      .map(({ name }) => name)
      .join(" ")} --help --version ;;
${commands.map(commandCase).join("\n")}
  esac
}

_ojm_words() {
  COMPREPLY=($(compgen -W "$*" -- "$cur"))
  _ojm_trim
}

_ojm_files() {
  compopt -o bashdefault -o default 2>/dev/null
}

# What the store knows: NAME, RUN or QUEUE.
_ojm_stored() {
  local name plain=\${cur//\\\\/} quote=""
  case $plain in
    [\\"\\']*) quote=\${plain:0:1}; plain=\${plain:1} ;;
  esac
  while IFS= read -r name; do
    if [[ -z $quote ]]; then printf -v name %q "$name"; fi
    COMPREPLY+=("$name")
  done < <(command "\${COMP_WORDS[0]}" __complete "$1" "\${where[@]}" -- "$plain" 2>/dev/null)
  if [[ -z $quote ]]; then _ojm_trim; fi
}

# Bash replaces only the part of a word after the last character at which it splits: drop the part before it.
_ojm_trim() {
  local breaks=\${COMP_WORDBREAKS//[^@:=]/}
  if [[ -n $breaks && $whole == *[$breaks]* ]]; then
    local head=\${whole%"\${whole##*[$breaks]}"}
    if [[ $whole != "$cur" ]]; then head=\${head#"\${whole%"$cur"}"}; fi
    COMPREPLY=("\${COMPREPLY[@]#"$head"}")
  fi
}

complete -F _ojm ojm
`;
}

function commandCase({ name, operand, options }: CommandWord): string {
  const flags = options.map((option) => `--${option.name}`).join(" ");
  return `    "${name}") if [[ $cur == -* ]]; then _ojm_words ${flags}; else ${complete(operand)}; fi ;;`;
}

function complete(place: Place): string {
  if (place === "nothing") return ":";
  if (place === "file") return "_ojm_files";
  return typeof place === "string" ? `_ojm_stored ${place}` : `_ojm_words ${place.join(" ")}`;
}
