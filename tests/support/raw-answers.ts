import type { Socket } from "node:net";

/** Writes for as long as it is taken, and says how many bytes were. */
export function pour(socket: Socket, text: string | Uint8Array): () => number {
  let taken = 0;
  const chunk = Buffer.from(text);
  const next = (): void => {
    if (socket.destroyed) return;
    socket.write(chunk, () => ((taken += chunk.length), setImmediate(next)));
  };
  next();
  return () => taken;
}

/** Writes a byte every 10 ms. */
export function drip(socket: Socket, text: string): void {
  const bytes = [...text];
  const timer = setInterval(() => socket.write(bytes.shift() ?? ""), 10);
  socket.on("close", () => clearInterval(timer));
}
