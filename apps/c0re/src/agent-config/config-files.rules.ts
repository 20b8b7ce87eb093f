/** One part of a path: no hidden meaning for git, shells or file systems. */
const PART = /^[A-Za-z0-9_+][A-Za-z0-9._+-]{0,99}$|^\.[A-Za-z0-9_][A-Za-z0-9._+-]{0,98}$/;
const MOST_PARTS = 8;
/** Names that git reads as its own, on every file system. */
const GIT_NAME = /^\.git(?:$|~|modules$|attributes$)/i;

/** Why these cannot be files of a config tree beside agent.yaml; undefined when they can. */
export function configFilesProblem(files: Record<string, string>): string | undefined {
  const paths = Object.keys(files);
  for (const path of paths) {
    const parts = path.split('/');
    const shown = JSON.stringify(path.slice(0, 80));
    if (path === 'agent.yaml') return `files cannot hold ${shown}: give it as config or yaml`;
    if (
      parts.length > MOST_PARTS ||
      !parts.every((part) => PART.test(part)) ||
      parts.some((part) => GIT_NAME.test(part))
    ) {
      return `${shown} is not a path for a config file: relative, at most ${MOST_PARTS} parts of letters, digits and . _ + -, none of git's own names`;
    }
    const inside = paths.find((other) => other.startsWith(`${path}/`));
    if (inside !== undefined)
      return `${shown} is a file and, for ${JSON.stringify(inside)}, a folder`;
    const text = files[path] ?? '';
    if (text.includes('\0') || !text.isWellFormed()) return `${shown} is not well-formed text`;
  }
  return undefined;
}
