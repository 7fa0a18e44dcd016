/**
 * The part of MQTT 3.1.1 that the page needs, over a WebSocket. It reconnects unless it was refused, and repeats unacknowledged
 * publications in order and under the same packet ids.
 */

const KEEP_ALIVE_SECONDS = 60;
const PAUSES_MS = [1_000, 1_000, 2_000, 5_000, 10_000];

const utf8 = new TextEncoder();
const text = new TextDecoder();

export class Mqtt extends EventTarget {
  #address;
  #introduction;
  #socket = null;
  #received = new Uint8Array();
  #unacknowledged = new Map();
  #lastId = Math.floor(Math.random() * 65_535);
  #failures = 0;
  #beat = 0;
  #over = false;

  /** @param {{ clientId: string, username?: string, password?: string }} introduction */
  constructor(address, introduction) {
    super();
    this.#address = address;
    this.#introduction = introduction;
  }

  open() {
    const socket = new WebSocket(this.#address, 'mqtt');
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#received = new Uint8Array();
    socket.onopen = () => socket.send(connectPacket(this.#introduction));
    socket.onmessage = ({ data }) => this.#receive(new Uint8Array(data));
    socket.onclose = () => this.#lost();
  }

  /** Disconnects for good. */
  close() {
    this.#over = true;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(packet(0xe0));
    this.#socket?.close();
  }

  subscribe(filters) {
    this.#send(packet(0x82, number(this.#nextId()), ...filters.flatMap((filter) => [string(filter), [0]])));
  }

  /** Publishes at QoS 0. */
  publishOnce(topic, payload) {
    this.#send(packet(0x30, string(topic), utf8.encode(payload)));
  }

  /** Publishes at QoS 1: repeated after a lost connection until it is acknowledged. */
  publish(topic, payload) {
    const id = this.#nextId();
    const body = [string(topic), number(id), utf8.encode(payload)];
    this.#unacknowledged.set(id, body);
    this.#send(packet(0x32, ...body));
  }

  #send(bytes) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  #receive(bytes) {
    const joined = new Uint8Array(this.#received.length + bytes.length);
    joined.set(this.#received);
    joined.set(bytes, this.#received.length);
    let rest = joined;
    for (let next = firstPacket(rest); next; next = firstPacket(rest)) {
      this.#handle(next.type, next.body);
      rest = rest.subarray(next.length);
    }
    this.#received = rest.slice();
  }

  #handle(type, body) {
    if (type === 2) this.#connected(body[1]);
    else if (type === 4) this.#unacknowledged.delete(body[0] * 256 + body[1]);
    else if (type === 3) {
      const end = 2 + body[0] * 256 + body[1];
      const [topic, payload] = [body.subarray(2, end), body.subarray(end)].map((part) => text.decode(part));
      this.dispatchEvent(new CustomEvent('message', { detail: { topic, payload } }));
    }
  }

  #connected(code) {
    if (code !== 0) {
      this.#over = true;
      this.dispatchEvent(new CustomEvent('refused', { detail: code }));
      this.#socket.close();
      return;
    }
    this.#failures = 0;
    this.#beat = setInterval(() => this.#send(packet(0xc0)), (KEEP_ALIVE_SECONDS * 1_000) / 2);
    // Subscribe first, to receive what is repeated.
    this.dispatchEvent(new Event('connected'));
    for (const body of this.#unacknowledged.values()) this.#send(packet(0x3a, ...body));
  }

  #lost() {
    clearInterval(this.#beat);
    if (this.#over) return;
    this.dispatchEvent(new Event('lost'));
    setTimeout(() => this.open(), PAUSES_MS[Math.min(this.#failures++, PAUSES_MS.length - 1)]);
  }

  #nextId() {
    do this.#lastId = (this.#lastId % 65_535) + 1;
    while (this.#unacknowledged.has(this.#lastId));
    return this.#lastId;
  }
}

function connectPacket({ clientId, username, password }) {
  const flags = 2 | (username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40);
  const fields = [clientId, username, password].filter((field) => field !== undefined).map(string);
  return packet(0x10, string('MQTT'), [4, flags], number(KEEP_ALIVE_SECONDS), ...fields);
}

const number = (value) => [value >> 8, value & 0xff];

function string(value) {
  const bytes = utf8.encode(value);
  return [...number(bytes.length), ...bytes];
}

function packet(first, ...parts) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header = [first];
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    header.push(rest < 128 ? rest : (rest % 128) | 0x80);
    if (rest < 128) break;
  }
  const bytes = new Uint8Array(header.length + length);
  let at = 0;
  for (const part of [header, ...parts]) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function firstPacket(bytes) {
  let length = 0;
  for (let i = 1; i < 5 && i < bytes.length; i++) {
    length += (bytes[i] & 0x7f) * 128 ** (i - 1);
    if (bytes[i] >= 128) continue;
    const end = i + 1 + length;
    return bytes.length < end ? null : { type: bytes[0] >> 4, body: bytes.subarray(i + 1, end), length: end };
  }
  return null;
}
