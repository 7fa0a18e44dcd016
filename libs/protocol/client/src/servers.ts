/** The URLs of a service's replicas, and the current one. All have the same data. */
export class Servers {
  private readonly addresses: readonly string[];
  private turn = 0;

  constructor(addresses: readonly string[]) {
    if (addresses.length === 0) throw new Error('The client needs the address of at least one server.');
    this.addresses = addresses.map((address) => new URL(address).href.replace(/\/+$/, ''));
  }

  /** `http://127.0.0.1:8080`, without a slash at the end. */
  get current(): string {
    return this.addresses[this.turn] as string;
  }

  /** This one cannot be reached or is shutting down: switches to the next one, unless that has happened already. */
  giveUp(address: string): void {
    if (address === this.current) this.turn = (this.turn + 1) % this.addresses.length;
  }
}
