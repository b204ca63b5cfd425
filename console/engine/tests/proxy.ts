/** A line that can be cut: a TCP proxy before the server. */

import { connect, createServer, type Server, type Socket } from "node:net";

export class Proxy {
  url = "";
  /** Connections from now on are refused. */
  isDown = false;
  /** Called with the bytes that went to the server so far; true cuts all connections. */
  cutAt: (bytes: number) => boolean = () => false;
  bytes = 0;
  #server: Server;
  #sockets = new Set<Socket>();

  constructor(private readonly target: URL) {
    this.#server = createServer((client) => this.#serve(client));
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("the proxy has no port");
    this.url = `http://127.0.0.1:${address.port}`;
    return this;
  }

  /** Cut every connection there is. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    if (this.isDown) return void client.destroy();
    const server = connect(Number(this.target.port), this.target.hostname);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    client.on("data", (piece) => {
      this.bytes += piece.length;
      server.write(piece);
      if (this.cutAt(this.bytes)) this.cut();
    });
    server.pipe(client);
  }
}
