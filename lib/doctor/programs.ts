import { join } from 'node:path';
import { containerdOf } from '#lib/artifacts/containerd.ts';
import { installing, missingPackages, refuseOldGo } from '#lib/artifacts/host-packages.ts';
import { neededGo } from '#lib/artifacts/go-version.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { firstLine, type Check } from './finding.ts';

/** The oldest Node.js that the packages of this project run with; package.json has it too. */
const oldestNode = [20, 19] as const;

const root: Check = {
  what: 'user',
  when: ({ settings }) => settings.lab.provider !== 'existing',
  look: async ({ root: isRoot }, { machinesHere }) =>
    Promise.resolve([
      isRoot
        ? { what: 'user', state: 'good', found: 'root' }
        : {
            what: 'user',
            state: 'lacking',
            found: 'not root',
            wanted: machinesHere
              ? 'root, as machines, namespaces, images and packages are made'
              : 'root, as the images of its pods are built here',
            mend: 'sudo env PATH="$PATH" npx vitest run',
          },
    ]),
};

const node: Check = {
  what: 'Node.js',
  look: async ({ node: version }) => {
    const [major, minor] = oldestNode;
    const [seenMajor = 0, seenMinor = 0] = version.replace(/^v/, '').split('.').map(Number);
    const good = seenMajor > major || (seenMajor === major && seenMinor >= minor);
    const wanted = `${String(major)}.${String(minor)} or newer`;
    if (good) return [{ what: 'Node.js', state: 'good', found: version, wanted }];
    return Promise.resolve([
      { what: 'Node.js', state: 'lacking', found: version, wanted, mend: 'https://nodejs.org/en/download' },
    ]);
  },
};

const go: Check = {
  what: 'Go',
  look: async (host, { settings }) => {
    const what = 'Go';
    try {
      const found = await refuseOldGo(host, neededGo(settings));
      return [{ what, state: 'good', found }];
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return [{ what, state: 'lacking', found: error.message.replace(/\.$/, '') }];
    }
  },
};

/** What the run installs by itself, where it can: the only lack that does not end it. */
export const packagesName = 'Debian packages';

const packages: Check = {
  what: packagesName,
  when: ({ settings }) => settings.lab.provider !== 'existing',
  look: async (host, { vm }) => {
    const what = packagesName;
    const missing = missingPackages(vm, host);
    if (missing.length === 0) return [{ what, state: 'good', found: 'all are here' }];
    const { inWords } = installing(missing, host);
    return Promise.resolve([
      { what, state: 'lacking', found: `missing: ${missing.join(', ')}`, mend: inWords },
    ]);
  },
};

/** Each node runs this host's; where it is not installed yet, apt-get brings that of Debian or Ubuntu. */
const containerd: Check = {
  what: 'containerd',
  when: ({ machinesHere }) => machinesHere,
  takes: ['containerd'],
  look: async (host) => {
    const what = 'containerd';
    try {
      const { version, configVersion } = await containerdOf(host.run);
      const found = `${version}, which gets a configuration of version ${String(configVersion)}`;
      return [{ what, state: 'good', found }];
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return [{ what, state: 'lacking', found: error.message.replace(/\.$/, '') }];
    }
  },
};

/** They are for packages that are missing, and for the disk of the VM until there is one; apt takes seconds to tell. */
const sources: Check = {
  what: 'package sources',
  when: ({ settings }) => settings.lab.provider !== 'existing',
  takes: ['apt-get'],
  look: async (host, { settings, vm }) => {
    const what = 'package sources';
    const { cache, vmOs } = settings.lab;
    const made = host.list(join(cache, 'artifacts')).some((name) => name.startsWith('vm-image-'));
    const missing = missingPackages(vm, host).length > 0;
    if (!missing && (vm === undefined || vmOs === 'none' || made))
      return [{ what, state: 'good', found: 'not asked, as all that comes from them is here' }];
    const ask = ['apt-get', 'indextargets', '--format', '$(SITE)', 'Created-By: Packages'];
    const { stdout, stderr } = await host.attempt(ask);
    const known = stdout.split('\n').filter(Boolean).length;
    if (known > 0) return [{ what, state: 'good', found: `apt knows ${String(known)}` }];
    const found = `apt knows none${stderr.trim() === '' ? '' : ` (${firstLine(stderr)})`}`;
    if (!missing)
      return [
        {
          what,
          state: 'note',
          found: `${found}; the VM is made from DEBIAN_MIRROR, or Debian's own archives`,
        },
      ];
    const wanted = 'one with the packages that are missing';
    return [{ what, state: 'lacking', found, wanted, mend: 'add one to /etc/apt/sources.list.d' }];
  },
};

const containerTool: Check = {
  what: 'container tool',
  when: ({ settings }) => settings.lab.artifactSource !== 'modules',
  look: async (host, { settings }) => {
    const what = 'container tool';
    const { containerTool: tool, lab } = settings;
    const state = lab.artifactSource === 'release' ? 'lacking' : 'note';
    const wanted = 'for ARTIFACT_SOURCE=release only';
    if (!host.has(tool)) return [{ what, state, found: `${tool} is not on PATH`, wanted }];
    const { code, stdout, stderr } = await host.attempt([tool, 'version', '--format', '{{.Client.Version}}']);
    if (code === 0) return [{ what, state: 'good', found: `${tool} ${stdout.trim()}` }];
    return [
      {
        what,
        state,
        found: `${tool} cannot be used (${stderr.trim().split('\n').at(-1) ?? ''})`,
        wanted,
        mend: 'CONTAINER_TOOL=podman, or start it',
      },
    ];
  },
};

export const programs: readonly Check[] = [root, node, go, packages, containerd, sources, containerTool];
