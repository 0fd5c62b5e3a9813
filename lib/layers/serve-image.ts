/**
 * A registry as a program of its own, for nodes: it listens in the network that it is started in, until it is ended.
 * Its words: the folder of the image, the architecture that it is there for, host and port.
 */
import { servingImage } from './image-registry.ts';

const [layout = '', only = '', host = '', port = ''] = process.argv.slice(2);
await servingImage(layout, { host, port: Number(port), only });
