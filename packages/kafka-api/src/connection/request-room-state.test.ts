import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NOTHING_HELD, RequestRoom, type RequestRoomLimits, type RoomShare } from './request-room-state.ts';

const LIMITS: RequestRoomLimits = {
  requestBytesMax: 6_400,
  requestBytesFree: 10,
  responseBytesMax: 1_000,
  responseBytesFree: 10,
};

const share = (): RoomShare => ({ ...NOTHING_HELD });

function roomWith(requestBytes: number): RequestRoom {
  const room = new RequestRoom(LIMITS);
  room.update(share(), requestBytes, 0);
  return room;
}

describe('reading', () => {
  test('goes on, however full the room is, on connections that hold little', () => {
    const room = roomWith(1_000_000);
    const little = share();
    room.update(little, 9, 0);
    expect(room.mayRead(little, 0)).toBe(true);
    expect(room.mayRead(little, 5_000)).toBe(true);
    room.update(little, 10, 0);
    expect(room.mayRead(little, 0)).toBe(false);
  });

  test('stops between requests when the room is full, and goes on when there is room', () => {
    const room = new RequestRoom(LIMITS);
    const [one, two] = [share(), share()];
    room.update(one, 6_400, 0);
    room.update(two, 10, 0);
    expect(room.mayRead(one, 100)).toBe(true);
    expect(room.mayRead(two, 0)).toBe(false);
    expect(room.hasRoomForHeldBack).toBe(false);
    room.update(one, 0, 0);
    expect(room.hasRoomForHeldBack).toBe(true);
    expect([...room.takeHeldBack()]).toEqual([two]);
    expect(room.mayRead(two, 0)).toBe(true);
  });

  test('of half requests that have filled the room twice over goes on side by side, as far as there is room for their rests', () => {
    const room = new RequestRoom(LIMITS);
    const shares = [share(), share(), share()];
    for (const each of shares) room.update(each, 5_000, 0);
    expect(shares.map((each) => room.mayRead(each, 1_500))).toEqual([true, true, false]);
    expect(room.hasRoomForHeldBack).toBe(false);
    room.update(shares[0]!, 5_400, 0);
    expect(room.mayRead(shares[0]!, 1_100)).toBe(true);
    expect(room.hasRoomForHeldBack).toBe(false);
    expect(room.mayRead(shares[1]!, 600)).toBe(true);
    expect(room.hasRoomForHeldBack).toBe(true);
    expect([...room.takeHeldBack()]).toEqual([shares[2]]);
    expect(room.mayRead(shares[2]!, 1_500)).toBe(true);
  });

  test('of a half request goes on if it is larger than all the room and nobody else brings a large one', () => {
    const room = roomWith(12_800);
    const [one, two] = [share(), share()];
    room.update(one, 100, 0);
    room.update(two, 100, 0);
    expect(room.mayRead(one, 1_000_000)).toBe(true);
    expect(room.mayRead(two, 1_000_000)).toBe(false);
    room.leave(one);
    expect([...room.takeHeldBack()]).toEqual([two]);
    expect(room.mayRead(two, 1_000_000)).toBe(true);
  });

  test('of modest half requests does not wait for large ones', () => {
    const room = roomWith(12_800);
    const [large, modest] = [share(), share()];
    room.update(large, 100, 0);
    room.update(modest, 100, 0);
    expect(room.mayRead(large, 1_000_000)).toBe(true);
    expect(room.mayRead(modest, 100)).toBe(true);
  });

  test('is in the way of others only with more than anybody may hold, in a full room', () => {
    const room = roomWith(6_000);
    const one = share();
    room.update(one, 300, 0);
    expect(room.isInTheWay(one)).toBe(false);
    room.update(one, 400, 0);
    expect(room.isInTheWay(one)).toBe(true);
    expect(room.isInTheWay(share())).toBe(false);
  });
});

test('however large requests come, they all come whole, in bounded memory', () => {
  const sizes = fc.array(fc.integer({ min: 8, max: 20_000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(
      sizes,
      fc.infiniteStream(fc.nat()),
      fc.integer({ min: 100, max: 5_000 }),
      (all, dice, chunk) => {
        const room = new RequestRoom(LIMITS);
        const uploads = all.map((size) => ({ ...NOTHING_HELD, size, received: 0 }));
        const reading = [...uploads];
        const largest = Math.max(...all);
        const boundOf = (readers: number): number =>
          2.5 * 6_400 + Math.max(3_200, largest) + readers * (10 + chunk);
        while (reading.length > 0) {
          const at = dice.next().value! % reading.length;
          const upload = reading[at]!;
          upload.received = Math.min(upload.size, upload.received + chunk);
          room.update(upload, upload.received, 0);
          expect(room.requestBytes).toBeLessThanOrEqual(boundOf(all.length));
          if (upload.received === upload.size) room.leave(upload);
          if (upload.received === upload.size || !room.mayRead(upload, upload.size - upload.received)) {
            reading.splice(at, 1);
          }
          if (!room.hasRoomForHeldBack) continue;
          for (const held of room.takeHeldBack() as ReadonlySet<(typeof uploads)[number]>) {
            if (room.mayRead(held, held.size - held.received)) reading.push(held);
          }
          expect(room.hasRoomForHeldBack).toBe(false);
        }
        expect(uploads.filter(({ size, received }) => received < size)).toEqual([]);
        expect(room.requestBytes).toBe(0);
      },
    ),
  );
});

describe('answers to fetches', () => {
  test('wait, in a full room, only where the client has not taken earlier ones', () => {
    const room = new RequestRoom(LIMITS);
    const [slow, other] = [share(), share()];
    room.update(slow, 0, 1_000);
    expect(room.mayBeginFetch(slow)).toBe(false);
    expect(room.mayBeginFetch(other)).toBe(true);
    expect(room.hasRoomForHeldBack).toBe(false);
    room.update(slow, 0, 999);
    expect([...room.takeHeldBack()]).toEqual([slow]);
    expect(room.mayBeginFetch(slow)).toBe(true);
  });

  test('are as large as wanted while there is room, and leave three quarters of it to others', () => {
    const room = new RequestRoom(LIMITS);
    const [one, two, three] = [share(), share(), share()];
    expect(room.reserveAnswer(one, 200)).toBe(200);
    expect(room.reserveAnswer(two, 2_000)).toBe(200);
    expect(room.reserveAnswer(three, 2_000)).toBe(150);
    // Reserved again, for another read: not added.
    expect(room.reserveAnswer(three, 2_000)).toBe(150);
    room.reserveAnswer(one, 0);
    room.leave(two);
    expect(room.reserveAnswer(three, 2_000)).toBe(250);
  });

  test('always have room when they are small, and together stay in bounds', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5_000 }), { maxLength: 100 }), (wanted) => {
        const room = new RequestRoom(LIMITS);
        for (const bytes of wanted) {
          const each = share();
          expect(room.mayBeginFetch(each)).toBe(true);
          const granted = room.reserveAnswer(each, bytes);
          expect(granted).toBeGreaterThanOrEqual(Math.min(bytes, 10));
          room.reserveAnswer(each, 0);
          room.update(each, 0, granted);
        }
        expect(room.responseBytes).toBeLessThanOrEqual(1_000 + 10 * wanted.length);
      }),
    );
  });
});
