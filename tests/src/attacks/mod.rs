//! What attackers try, each a row; each row has a server of its own.

mod bodies;
mod codes;
mod crowds;
mod headers;
mod ids;
mod operations;
mod paths;
mod seals;
mod slow;
mod timing;
mod tokens;

use crate::harness::Server;

macro_rules! attacks {
    ($($name:ident, $attack:literal, $outcome:literal => $on:expr, $test:path;)*) => {$(
        #[doc = $attack]
        #[doc = ""]
        #[doc = $outcome]
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            $test(&$on.await).await;
        }
    )*};
}

attacks! {
    // Test, what is tried, what comes of it, on which server, how.
    brute_force, "Guess somebody's code from forty sources at once, with code after code.",
        "A handful of guesses is looked at, then waits grow; the log tells it in few lines." => Server::start(), codes::brute_force;
    spoofed_sources, "Get around the limits of a source with headers that claim another.",
        "The connection's own address counts." => Server::start(), codes::spoofed_sources;
    replayed_code, "Use a code again that was seen in use, or one that a newer voids.",
        "Refused from everywhere; the owner's session stays." => Server::start(), codes::replayed_code;
    flooded_mailbox, "Have codes mailed to somebody from many sources.",
        "Five, then one every two minutes." => Server::start(), codes::flooded_mailbox;
    written_otherwise, "Pass for somebody by writing the address otherwise.",
        "It is the same account, and its mail goes to the owner." => Server::start(), codes::written_otherwise;
    timing_of_requests, "Tell accounts from strangers by how long a request for a code takes.",
        "The same steps of time." => timing::closed(), timing::requests;
    timing_of_logins, "Tell accounts from strangers by how long a wrong code takes.",
        "The same steps of time." => timing::closed(), timing::logins;
    confused_tokens, "Tokens of other issuers, audiences, keys, algorithms, times, and with tricks in their headers.",
        "401 with the challenge that fits." => Server::start(), tokens::confusion;
    misplaced_tokens, "A good token where tokens do not belong.",
        "401: there is none." => Server::start(), tokens::misplaced;
    foreign_ids, "Another user's ids on every route that takes one.",
        "404 or 403, and nothing of the other user changes." => Server::unlimited(), ids::foreign;
    shared_lists, "Read every route without an id, and look for anything of another user.",
        "Nothing." => Server::unlimited(), ids::nothing_leaks;
    roles, "Every operation with too low a role, and with none.",
        "403 and 401, before anything else is looked at." => Server::unlimited(), ids::too_low_a_role;
    forged_cursors, "Forged, altered and other people's cursors on every list.",
        "422 that names the cursor." => Server::unlimited(), seals::cursors;
    forged_keys, "Idempotency keys that are malformed, doubled, or other people's.",
        "422, or nothing shared." => Server::unlimited(), seals::keys;
    path_tricks, "Dots, double slashes, encodings, case and suffixes around what is forbidden.",
        "As if the trick were not there, or 404." => Server::unlimited(), paths::tricks;
    header_tricks, "Overriding the method, rewriting the path, hosts, doubled and enormous headers.",
        "Ignored or refused." => Server::start(), headers::tricks;
    smuggled_requests, "One request that two readers would cut in two places.",
        "Refused, and the connection closed." => Server::start(), headers::smuggling;
    wrong_bodies, "Bodies of every wrong kind for every operation that takes one.",
        "4xx with a problem, and never 5xx." => Server::unlimited(), bodies::wrong;
    huge_bodies, "Bodies beyond the limit, also without saying how long they are.",
        "413, without being read to the end." => Server::unlimited(), bodies::huge;
    slow_requests, "Hold two hundred connections with heads and bodies that never end.",
        "Others are answered as ever, and heads are given up." => Server::start_hasty(), slow::requests;
    thousand_logins, "A thousand logins at once with the codes of fifty people.",
        "Each code lets one in." => Server::start(), crowds::thousand_logins;
}
