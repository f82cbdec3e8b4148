import { type CommandWord, type OptionWord, type Place, quoted, subjectsOf } from "../words.js";

/** The completion of fish. */
export function fishScript(commands: readonly CommandWord[]): string {
  return `# The completion of ojm for fish. In its config.fish: ojm completion fish | source
function __ojm_command -d 'Whether the command is one of these'
    set -l words (commandline -opc)
    set -l command $words[2]
    if test (count $words) -gt 2; and contains -- $command ${subjectsOf(commands).join(" ")}
        set command "$command $words[3]"
    end
    test (count $words) -gt 1; and contains -- $command $argv; and not contains -- -- $words
end

function __ojm_stored -d 'What the store knows: NAME, RUN or QUEUE'
    set -l words (commandline -opc)
    set -l where
    for i in (seq 3 (count $words))
        switch $words[$i]
            case --store --profile
                test $i -lt (count $words); and set -a where $words[$i] $words[(math $i + 1)]
            case '--store=*' '--profile=*'
                set -a where $words[$i]
        end
    end
    command $words[1] __complete $argv[1] $where -- (commandline -ct) 2>/dev/null
end

complete -c ojm -f
${commands.map(ofCommand).join("\n")}
# What stands behind the two dashes is a command of its own.
complete -c ojm -n 'contains -- -- (commandline -opc)' -F
`;
}

function ofCommand({ name, summary, operand, options }: CommandWord): string {
  const when = `complete -c ojm -n '__ojm_command "${name}"'`;
  const [first, second] = name.split(" ");
  const before = second === undefined ? "test (count (commandline -opc)) -eq 1" : `__ojm_command ${first}`;
  return [
    `complete -c ojm -n '${before}' -a ${second ?? first} -d ${word(summary)}`,
    ...(operand === "nothing" ? [] : [`${when}${values(operand)}`]),
    ...options.map((option) => `${when} ${optionText(option)}`),
  ].join("\n");
}

function optionText({ name, short, text, value }: OptionWord): string {
  const names = `-l ${name}${short === undefined ? "" : ` -s ${short}`}`;
  const taken = value === undefined ? "" : ` -r${value === "nothing" ? " -f" : values(value)}`;
  return `${names}${taken} -d ${word(text)}`;
}

function values(place: Place): string {
  if (place === "nothing") return "";
  if (place === "file") return " -F";
  return typeof place === "string" ? ` -f -k -a '(__ojm_stored ${place})'` : ` -f -a ${quoted(place.join(" "))}`;
}

/** A text as a word of fish, which has two escapes in single quotes. */
function word(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
