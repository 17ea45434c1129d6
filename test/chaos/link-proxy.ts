/**
 * The way to one node: every connection to it, of clients and of other nodes, runs through here, so that each pair of
 * parties can be cut off from each other, in one direction or in both, or be made slow. Faithful to TCP: see Link.
 */
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { connectionOwner } from './connection-owner.ts';
import { carry, Link } from './link.ts';

/** A node's id, or the clients. */
export type Party = number | 'clients';

export class LinkMatrix {
  readonly #links = new Map<string, Link>();

  link(from: Party, to: Party): Link {
    const name = `${from} ${to}`;
    const link = this.#links.get(name) ?? new Link();
    this.#links.set(name, link);
    return link;
  }

  healAll(): void {
    for (const link of this.#links.values()) link.heal();
  }
}

export interface LinkProxyOptions {
  readonly nodeId: number;
  /** Where the node really listens. */
  readonly nodePort: number;
  readonly links: LinkMatrix;
  /** The processes of the nodes as they run now. */
  readonly pids: () => ReadonlyMap<Party, number>;
}

export class LinkProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, port: number, sockets: Set<Socket>) {
    this.#server = server;
    this.port = port;
    this.#sockets = sockets;
  }

  static async start(options: LinkProxyOptions): Promise<LinkProxy> {
    const sockets = new Set<Socket>();
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      void LinkProxy.#accept(socket, sockets, options);
    });
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(0, '127.0.0.1', resolve),
    );
    return new LinkProxy(server, (server.address() as { port: number }).port, sockets);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  static async #accept(incoming: Socket, sockets: Set<Socket>, options: LinkProxyOptions): Promise<void> {
    const { nodeId, nodePort, links, pids } = options;
    keep(incoming, sockets);
    const { remotePort, localPort } = incoming;
    if (remotePort === undefined || localPort === undefined) return;
    const from = (await connectionOwner(pids(), remotePort, localPort)) ?? 'clients';
    const [there, back] = [links.link(from, nodeId), links.link(nodeId, from)];
    // A handshake needs both directions.
    await there.arrival(performance.now());
    await back.arrival(performance.now());
    if (incoming.destroyed) return;
    const outgoing = keep(createConnection({ host: '127.0.0.1', port: nodePort }), sockets);
    outgoing.setNoDelay(true);
    incoming.setNoDelay(true);
    void carry(incoming, outgoing, there);
    void carry(outgoing, incoming, back);
    incoming.resume();
  }
}

/** An error is followed by 'close', which is all that matters here. */
function keep(socket: Socket, sockets: Set<Socket>): Socket {
  sockets.add(socket);
  socket.on('error', () => {});
  socket.once('close', () => sockets.delete(socket));
  return socket;
}
