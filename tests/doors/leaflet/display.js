// In pollJobStatus() when job completes
if (data.result.vggt) {
    const vggtResult = data.result.vggt;
    const tracks = vggtResult.tracks;

    // Extract unique track IDs
    const trackIds = [...new Set(tracks.map(t => t.track_id))];

    // Group by track_id
    const tracksByID = {};
    trackIds.forEach(id => {
        tracksByID[id] = tracks.filter(t => t.track_id === id);
    });

    // Display on map
    displayTracksOnMap(tracksByID, vggtResult.metadata.home_position);
}

function displayTracksOnMap(tracksByID, homePosition) {
    // Clear existing layers
    map.eachLayer(layer => {
        if (layer !== baseLayer) {
            map.removeLayer(layer);
        }
    });

    // Add home marker
    L.marker([homePosition.latitude, homePosition.longitude], {
        icon: L.icon({
            iconUrl: 'home-icon.png',
            iconSize: [32, 32]
        })
    }).addTo(map).bindPopup("Drone Home");

    // Plot each track
    Object.entries(tracksByID).forEach(([trackId, points]) => {
        const coords = points.map(p => [p.lat, p.lon]);

        // Draw polyline
        L.polyline(coords, {
            color: getTrackColor(trackId),
            weight: 3
        }).addTo(map);

        // Add markers with speed/heading info
        points.forEach((point, idx) => {
            if (idx % 5 === 0) {  // Show every 5th point
                L.circleMarker([point.lat, point.lon], {
                    radius: 5,
                    color: getTrackColor(trackId)
                }).addTo(map).bindPopup(`
                    Track ${trackId}<br>
                    Frame: ${point.frame_id}<br>
                    Speed: ${point.speed_mps.toFixed(2)} m/s<br>
                    Heading: ${point.heading_deg.toFixed(1)}°<br>
                    Depth: ${point.depth_m.toFixed(1)} m
                `);
            }
        });
    });

    // Fit map to track bounds
    const allCoords = Object.values(tracksByID).flat().map(p => [p.lat, p.lon]);
    map.fitBounds(L.latLngBounds(allCoords));
}
