"""An identity provider that speaks OpenID Connect: its tokens proven, its sign-in used."""
