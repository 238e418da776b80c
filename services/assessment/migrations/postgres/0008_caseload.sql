-- min_reader_version: 7

-- The texts of a JSON array as rows, under the name and column that SQLite has for it.
CREATE FUNCTION json_each(list text) RETURNS TABLE (value text)
LANGUAGE sql IMMUTABLE STRICT ROWS 4 AS $$ SELECT jsonb_array_elements_text(list::jsonb) $$;
