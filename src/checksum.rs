/// XXH64 of Yann Collet's xxHash (specification 0.2.0), seed 0, of bytes that come piece by piece.
#[derive(Debug, Clone)]
pub(crate) struct Xxh64 {
    lanes: [u64; 4],
    /// What does not fill a stripe yet.
    rest: [u8; STRIPE],
    len: u64,
}

const STRIPE: usize = 32;
const P1: u64 = 0x9e37_79b1_85eb_ca87;
const P2: u64 = 0xc2b2_ae3d_27d4_eb4f;
const P3: u64 = 0x1656_67b1_9e37_79f9;
const P4: u64 = 0x85eb_ca77_c2b2_ae63;
const P5: u64 = 0x27d4_eb2f_1656_67c5;

fn round(lane: u64, input: u64) -> u64 {
    lane.wrapping_add(input.wrapping_mul(P2)).rotate_left(31).wrapping_mul(P1)
}

impl Xxh64 {
    pub(crate) fn new() -> Self {
        let lanes = [P1.wrapping_add(P2), P2, 0, P1.wrapping_neg()];
        Self { lanes, rest: [0; STRIPE], len: 0 }
    }

    pub(crate) fn write(&mut self, mut bytes: &[u8]) {
        let held = (self.len % STRIPE as u64) as usize;
        self.len = self.len.wrapping_add(bytes.len() as u64);
        if held > 0 {
            let (now, later) = bytes.split_at(bytes.len().min(STRIPE - held));
            self.rest[held..held + now.len()].copy_from_slice(now);
            if held + now.len() < STRIPE {
                return;
            }
            let stripe = self.rest;
            self.take(&stripe);
            bytes = later;
        }
        let (stripes, rest) = bytes.as_chunks::<STRIPE>();
        stripes.iter().for_each(|stripe| self.take(stripe));
        self.rest[..rest.len()].copy_from_slice(rest);
    }

    fn take(&mut self, stripe: &[u8; STRIPE]) {
        for (lane, input) in self.lanes.iter_mut().zip(stripe.as_chunks::<8>().0) {
            *lane = round(*lane, u64::from_le_bytes(*input));
        }
    }

    /// Of all bytes so far.
    pub(crate) fn value(&self) -> u64 {
        let [a, b, c, d] = self.lanes;
        let mut hash = if self.len < STRIPE as u64 {
            P5
        } else {
            let together = a.rotate_left(1).wrapping_add(b.rotate_left(7));
            let together = together.wrapping_add(c.rotate_left(12)).wrapping_add(d.rotate_left(18));
            let merge = |hash: u64, lane| (hash ^ round(0, lane)).wrapping_mul(P1).wrapping_add(P4);
            self.lanes.into_iter().fold(together, merge)
        };
        hash = hash.wrapping_add(self.len);
        let (words, rest) = self.rest[..(self.len % STRIPE as u64) as usize].as_chunks::<8>();
        for word in words {
            hash = (hash ^ round(0, u64::from_le_bytes(*word))).rotate_left(27).wrapping_mul(P1).wrapping_add(P4);
        }
        let (half, bytes) = rest.as_chunks::<4>();
        for half in half {
            let half = u64::from(u32::from_le_bytes(*half));
            hash = (hash ^ half.wrapping_mul(P1)).rotate_left(23).wrapping_mul(P2).wrapping_add(P3);
        }
        for byte in bytes {
            hash = (hash ^ u64::from(*byte).wrapping_mul(P5)).rotate_left(11).wrapping_mul(P1);
        }
        hash = (hash ^ hash >> 33).wrapping_mul(P2);
        hash = (hash ^ hash >> 29).wrapping_mul(P3);
        hash ^ hash >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::Xxh64;

    fn of(bytes: &[u8]) -> u64 {
        let mut hash = Xxh64::new();
        hash.write(bytes);
        hash.value()
    }

    /// As the tests of cespare/xxhash, a port to Go, have them.
    #[test]
    fn published_values_come_out() {
        assert_eq!(of(b""), 0xef46_db37_51d8_e999);
        assert_eq!(of(b"a"), 0xd24e_c4f1_a98c_6e5b);
        assert_eq!(of(b"as"), 0x1c33_0fb2_d66b_e179);
        assert_eq!(of(b"asd"), 0x631c_37ce_72a9_7393);
        assert_eq!(of(b"asdf"), 0x4158_72f5_99ce_a71e);
        let long = b"Call me Ishmael. Some years ago--never mind how long precisely-";
        assert_eq!((long.len(), of(long)), (63, 0x02a2_e854_70d6_fd96));
    }

    #[test]
    fn bytes_in_pieces_have_the_hash_of_the_whole() {
        let bytes: Vec<u8> = (0..200u32).map(|i| (i * i % 251) as u8).collect();
        for piece in 1..70 {
            let mut hash = Xxh64::new();
            bytes.chunks(piece).for_each(|piece| hash.write(piece));
            assert_eq!(hash.value(), of(&bytes), "pieces of {piece}");
        }
    }
}
