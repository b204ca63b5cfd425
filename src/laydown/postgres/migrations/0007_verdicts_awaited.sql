-- Whoever runs this server may ask how many files wait for a scanner's word, whosesoever they are.
CREATE POLICY read_rows ON proofs FOR SELECT TO laydown_system USING (true);
GRANT SELECT ON proofs TO laydown_system;
