import type { Check } from './finding.ts';

const elsewhere = 'LAB_PROVIDER=existing, or run it in a Linux instance of multipass';

/** What takes Linux of a run, by where its machines come from: why, and what to do instead. */
const takesLinux = {
  local: { wanted: 'Linux, as the machines of LAB_PROVIDER=local are its namespaces', mend: elsewhere },
  multipass: {
    wanted: 'Linux, as the images that LAB_PROVIDER=multipass lays on its nodes are built here, with buildah',
    mend: elsewhere,
  },
  modules: {
    wanted: 'Linux, as ARTIFACT_SOURCE=modules makes packages with dpkg-deb',
    mend: 'ARTIFACT_SOURCE=release',
  },
} as const;

/** What a run cannot do on a system that is not Linux. */
export const system: Check = {
  what: 'system',
  look: async (host, { settings: { lab } }) => {
    const what = 'system';
    const provider = lab.provider === 'auto' ? 'local' : lab.provider;
    if (host.system === 'linux') return [{ what, state: 'good', found: 'linux' }];
    if (provider !== 'existing')
      return [{ what, state: 'lacking', found: host.system, ...takesLinux[provider] }];
    if (lab.artifactSource !== 'release')
      return [{ what, state: 'lacking', found: host.system, ...takesLinux.modules }];
    const found = `${host.system}, on which no run was ever seen`;
    return Promise.resolve([{ what, state: 'note', found }]);
  },
};
