/** What fits into one packet of the channel: RFC 4254, 5.2, as OpenSSH sets its maximum. */
const JOINED_BYTES = 32 * 1024;

/** Packets as pieces to be written: those that fit together are one piece, a longer one is a piece by itself. */
export function* joinPackets(packets: readonly Buffer[]): Generator<Buffer> {
  let batch: Buffer[] = [];
  let size = 0;
  for (const packet of packets) {
    if (size > 0 && size + packet.length > JOINED_BYTES) {
      yield joined(batch, size);
      batch = [];
      size = 0;
    }
    batch.push(packet);
    size += packet.length;
  }
  if (size > 0) yield joined(batch, size);
}

function joined(batch: readonly Buffer[], size: number): Buffer {
  return batch.length === 1 ? (batch[0] as Buffer) : Buffer.concat(batch, size);
}
