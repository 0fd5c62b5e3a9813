import { hasProc } from '#lib/base/process-table.ts';
import { endingByWord } from './ending-by-word.ts';

const variable = 'ISTIO_VM_CONFORMANCE_LAB';

/** Who starts a process cannot be mistaken for a later one with its id. */
const startOf = 'LC_ALL=C TZ=UTC0 ps -o lstart= -p';

/** Writes down what is about to be run, under its id. */
const noted = `mkdir -p "$0/inside"; ${startOf} $$ >"$0/inside/$$"; exec env "${variable}=$0" "$@"`;

/** Ends what was written down and still is what it was, and all that it started. */
const endingNoted = `(
cd "$1/inside" 2>/dev/null || exit 0
found=
for pid in *; do
  [ -s "$pid" ] || continue
  [ "$(${startOf} "$pid")" != "$(cat "$pid")" ] || found="$found $pid"
done
[ "$found" ] || exit 0
kill -KILL $(ps -A -o pid= -o ppid= | awk -v found="$found" '
  BEGIN { n = split(found, ids, " "); for (i = 1; i <= n; i++) ours[ids[i]] = 1 }
  { parent[$1] = $2 }
  END {
    do { more = 0; for (id in parent) if (!(id in ours) && (parent[id] in ours)) { ours[id] = 1; more = 1 } } while (more)
    for (id in ours) print id
  }') 2>/dev/null
exit 0
)`;

/**
 * Words that run a command on this host as one of a lab without namespaces, so that it ends with the lab: it is known by
 * a word in its environment or, where the system has no /proc to look for that, written down in the lab's folder.
 */
export const putInside = (dir: string): string[] =>
  hasProc() ? ['env', `${variable}=${dir}`] : ['sh', '-c', noted, dir];

/** A script for sh that ends all of these. */
export const endingInside = (dir: string): string =>
  hasProc() ? `set -- '${variable}=${dir}'\n${endingByWord}` : `set -- '${dir}'\n${endingNoted}`;
