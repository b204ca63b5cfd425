-- Whoever looks at a delivery wants to know whose it is: a member's, or who a drop link was made for.
CREATE FUNCTION principal_name(principal uuid) RETURNS text
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT coalesce(
            (SELECT name FROM members
              WHERE id = principal AND organization_id = current_organization()),
            (SELECT label FROM links
              WHERE id = principal AND organization_id = current_organization()));
    END;
