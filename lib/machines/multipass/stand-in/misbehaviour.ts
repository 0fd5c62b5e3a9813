/** Each known way in which multipass misbehaves, as the stand-in can be told to. */
export const misbehaviours = {
  'launch gives up': 'launch says that it timed out, and the instance is usable',
  'launch gives up in vain': 'launch says that it timed out, and the instance stays Unknown',
  'launch hangs': 'launch never ends, and the instance is usable',
  'restart gives up': 'restart and start say that they timed out, and the instance runs',
  'restart does nothing': 'restart says that it is done, and the instance has not booted',
  'old address':
    'after a restart the address of the boot before is told, and that of a bridge in the instance',
  'no way in at first': 'at the first command after a boot the way into the instance is refused',
  'exec without input hangs': 'exec waits for ever when its input is neither a terminal nor a pipe',
  'exec loses its end': 'exec ends with status 0 in the middle of the command',
  'service starts anew':
    'the service is away at the first use of each command, as when its package is updated',
  'notice before JSON': 'a notice of an update stands before what was asked for',
  'transfer is cut': 'transfer copies half of the file and says that it is done',
  'delete refuses at first': 'delete fails for some time while an instance is being made',
  'image is downloaded first':
    'for some seconds a launch prepares its image: everything says that there is no such instance, and it comes to be though its client is gone',
  'no access': 'the socket of the service may not be opened',
  'not authenticated': 'the service does not know this client',
  'old version': 'a version that drops empty words and has no snapshots',
} as const;

export type Misbehaviour = keyof typeof misbehaviours;
