use ecphory::{Rows, similarity_batch};

fn main() -> Result<(), ecphory::Error> {
    let query = [3.0, 4.0, 0.0];
    let rows = [[3.0, 4.0, 0.0], [-4.0, 3.0, 0.0], [0.0, 4.0, 3.0]];

    let scores = similarity_batch(&query, &Rows::new(rows.as_flattened(), 3)?)?;

    rows.iter().zip(&scores).for_each(|(row, score)| println!("{row:?} scores {score:.2}"));
    assert_eq!(scores[..2], [1.0, 0.0]);
    Ok(())
}
