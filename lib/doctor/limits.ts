import { inotifyLimit, watchersOfLab, watchersWanted } from '#lib/machines/local/inotify.ts';
import type { Check } from './finding.ts';

/** How many file watchers a user may have. The run raises that by itself where it can. */
export const inotify: Check = {
  what: 'inotify instances',
  when: ({ machinesHere }) => machinesHere,
  look: async (host) => {
    const what = 'fs.inotify.max_user_instances';
    const now = Number(host.read(inotifyLimit) ?? Number.NaN);
    if (now >= watchersWanted) return [{ what, state: 'good', found: String(now) }];
    const wanted = `${String(watchersWanted)}, as a lab takes about ${String(watchersOfLab)}`;
    if (host.root && host.writable(inotifyLimit))
      return [{ what, state: 'note', found: `${String(now)}; the run raises it`, wanted }];
    const state = now >= 2 * watchersOfLab ? 'note' : 'lacking';
    const mend = `sysctl fs.inotify.max_user_instances=${String(watchersWanted)} (on the host of a container)`;
    return Promise.resolve([
      { what, state, found: `${String(now)}, and it cannot be raised from here`, wanted, mend },
    ]);
  },
};
