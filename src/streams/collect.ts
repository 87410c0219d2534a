/** All bytes of a stream that should be short. Where more than `most` come it is closed, and what `tooLong` makes is thrown. */
export async function collect(stream: AsyncIterable<Uint8Array>, most: number, tooLong: () => Error): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > most) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}
