fn main() -> Result<(), ecphory::Error> {
    let query = [3.0, 4.0, 0.0];
    let rows = [[3.0, 4.0, 0.0], [-4.0, 3.0, 0.0], [0.0, 4.0, 3.0]];

    let scores = ecphory::similarity_batch(&query, rows.as_flattened())?;

    rows.iter().zip(&scores).for_each(|(row, score)| println!("{row:?} scores {score:.2}"));
    assert_eq!(scores[..2], [1.0, 0.0]);
    Ok(())
}
