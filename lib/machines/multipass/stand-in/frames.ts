/** How client and service of the stand-in talk: a kind (one byte), a length (four) and that many bytes. */
export interface Frame {
  kind: string;
  content: Buffer;
}

export function frame(kind: string, content: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(5);
  head.write(kind);
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
}

/** Cuts what comes into frames; what is half there is kept for the next call. */
export function frames(): (bytes: Buffer) => Frame[] {
  let parts: Buffer[] = [];
  let length = 0;
  return (bytes) => {
    parts.push(bytes);
    length += bytes.length;
    const found: Frame[] = [];
    // joined only when a frame is whole, or a big one would be copied again for each of its parts
    if (length < 5 || length < 5 + head(parts).readUInt32BE(1)) return found;
    let rest = Buffer.concat(parts);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const content = rest.subarray(5, 5 + rest.readUInt32BE(1));
      found.push({ kind: String.fromCharCode(rest[0] ?? 0), content });
      rest = rest.subarray(5 + content.length);
    }
    parts = [rest];
    length = rest.length;
    return found;
  };
}

function head(parts: Buffer[]): Buffer {
  const [first] = parts;
  if (first && first.length >= 5) return first;
  const joined = Buffer.concat(parts);
  parts.splice(0, parts.length, joined);
  return joined;
}
