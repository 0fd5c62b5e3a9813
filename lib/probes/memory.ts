import type { Place } from './places.ts';

/** The memory that a Linux machine has in MiB, what its kernel keeps for itself included. */
export async function installedMemoryMiB(place: Place): Promise<number> {
  const shell = 'cd /sys/devices/system/memory && ls -d memory[0-9]* | wc -l && cat block_size_bytes';
  const { stdout, stderr } = await place.attempt(['sh', '-c', shell]);
  const [blocks, size] = stdout.trim().split('\n');
  const bytes = Number(blocks) * Number.parseInt(size ?? '', 16);
  if (!Number.isFinite(bytes))
    throw new Error(`${place.name} does not tell how much memory it has: ${stdout}${stderr}`);
  return bytes / 1024 / 1024;
}
